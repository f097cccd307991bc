/** What the conformance suite expects of a server: tools, resources and prompts by its own names, doing what it describes. */
import {
  completable,
  fromJsonSchema,
  McpServer,
  ResourceTemplate,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { registerPushedQuestions } from './fixture-pushed-questions.ts';
import { registerQuestions, requestState } from './fixture-questions.ts';

/** A picture of one pixel, and a sound of nothing. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';
/** Milliseconds between two reports of a tool, as the suite describes it. */
const STEP = 50;

const image = { type: 'image' as const, data: PNG, mimeType: 'image/png' };
const text = (words: string) => ({ type: 'text' as const, text: words });

export function fixtureServer(): McpServer {
  const server = new McpServer(
    { name: 'Conformance fixtures', version: '1.0.0' },
    {
      // Like the shop, it announces nothing that a stream would have to stay open for.
      capabilities: {
        tools: { listChanged: false },
        resources: { listChanged: false },
        prompts: { listChanged: false },
        completions: {},
        logging: {},
      },
      requestState: { verify: (state, context) => requestState.verify(state, context) },
    },
  );
  registerContent(server);
  registerReports(server);
  registerSchemas(server);
  registerQuestions(server);
  registerPushedQuestions(server);
  registerResources(server);
  registerPrompts(server);
  return server;
}

function registerContent(server: McpServer): void {
  const returns = (name: string, description: string, ...content: Content[]) =>
    server.registerTool(name, { description }, async () => ({ content }));
  type Content = ReturnType<typeof text> | typeof image | { type: 'audio'; data: string; mimeType: string } | Embedded;
  type Embedded = { type: 'resource'; resource: { uri: string; mimeType: string; text: string } };

  returns('test_simple_text', 'Returns text', text('This is a simple text response for testing.'));
  returns('test_image_content', 'Returns a picture', image);
  returns('test_audio_content', 'Returns a sound', { type: 'audio', data: WAV, mimeType: 'audio/wav' });
  returns('test_embedded_resource', 'Returns a resource', {
    type: 'resource',
    resource: {
      uri: 'test://embedded-resource',
      mimeType: 'text/plain',
      text: 'This is an embedded resource content.',
    },
  });
  returns('test_multiple_content_types', 'Returns three kinds', text('Multiple content types test:'), image, {
    type: 'resource',
    resource: {
      uri: 'test://mixed-content-resource',
      mimeType: 'application/json',
      text: JSON.stringify({ test: 'data', value: 123 }),
    },
  });
  server.registerTool('test_error_handling', { description: 'Always fails' }, async () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
}

/** Tools that say something while they run. */
function registerReports(server: McpServer): void {
  const logging = async (_: unknown, { mcpReq }: ServerContext) => {
    await mcpReq.log('info', 'Tool execution started');
    await scheduler.wait(STEP);
    await mcpReq.log('info', 'Tool processing data');
    await scheduler.wait(STEP);
    await mcpReq.log('info', 'Tool execution completed');
    return { content: [text('Done')] };
  };
  for (const name of ['test_tool_with_logging', 'test_logging_tool']) {
    server.registerTool(name, { description: 'Logs three times', inputSchema: z.object({}) }, logging);
  }

  const description = 'Reports its progress';
  server.registerTool('test_tool_with_progress', { description }, async ({ mcpReq }) => {
    const { _meta: meta } = mcpReq;
    const progressToken = meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
      }
      if (progress < 100) await scheduler.wait(STEP);
    }
    return { content: [text('Done')] };
  });
}

/** Tools whose input schema is what matters. */
function registerSchemas(server: McpServer): void {
  server.registerTool(
    'json_schema_2020_12_tool',
    {
      description: 'Tool with JSON Schema 2020-12 features',
      inputSchema: fromJsonSchema({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        $defs: {
          address: {
            $anchor: 'addressDef',
            type: 'object',
            properties: { street: { type: 'string' }, city: { type: 'string' } },
          },
        },
        properties: {
          name: { type: 'string' },
          address: { $ref: '#/$defs/address' },
          contactMethod: { type: 'string', enum: ['phone', 'email'] },
          phone: { type: 'string' },
          email: { type: 'string' },
        },
        allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
        if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
        // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
        then: { required: ['phone'] },
        else: { required: ['email'] },
        additionalProperties: false,
      }),
    },
    async () => ({ content: [text('Valid')] }),
  );
  server.registerTool(
    'test_custom_header',
    {
      description: 'Has a parameter that clients repeat in a header',
      inputSchema: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }),
    },
    async ({ region }) => ({ content: [text(region)] }),
  );
}

function registerResources(server: McpServer): void {
  const description = 'A resource of the suite';
  const words = { mimeType: 'text/plain', text: 'This is the content of the static text resource.' };
  const picture = { mimeType: 'image/png', blob: PNG };
  const fixed = {
    static_text: ['test://static-text', words],
    static_binary: ['test://static-binary', picture],
  } as const;
  for (const [name, [address, content]] of Object.entries(fixed)) {
    server.registerResource(name, address, { description, mimeType: content.mimeType }, async ({ href: uri }) => ({
      contents: [{ uri, ...content }],
    }));
  }
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  server.registerResource('template', template, { description, mimeType: 'application/json' }, async (uri, { id }) => ({
    contents: [
      {
        uri: uri.href,
        mimeType: 'application/json',
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
      },
    ],
  }));
}

function registerPrompts(server: McpServer): void {
  const user = <Content>(content: Content) => ({ role: 'user' as const, content });
  server.registerPrompt('test_simple_prompt', { description: 'A simple prompt' }, async () => ({
    messages: [user(text('This is a simple prompt for testing.'))],
  }));
  server.registerPrompt('test_prompt_with_image', { description: 'A prompt with a picture' }, async () => ({
    messages: [user(image), user(text('Please analyze the image above.'))],
  }));

  const starting = (value: string) => ['paris', 'park', 'party'].filter((known) => known.startsWith(value));
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'A prompt with arguments',
      argsSchema: z.object({
        arg1: completable(z.string().describe('First test argument'), starting),
        arg2: z.string().describe('Second test argument'),
      }),
    },
    async ({ arg1, arg2 }) => ({
      messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
    }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'A prompt with a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    async ({ resourceUri: uri }) => ({
      messages: [
        user({
          type: 'resource' as const,
          resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
        }),
        user(text('Please process the embedded resource above.')),
      ],
    }),
  );
}
