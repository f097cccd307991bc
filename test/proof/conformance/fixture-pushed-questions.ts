/**
 * The conformance suite's tools that ask the user in the way of 2025-11-25: the server sends a request of its own. That
 * takes a session, so here they fail, and `scenarios.ts` says so; they are registered so that it would show if they did not.
 */
import type { ElicitRequestFormParams, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

export function registerPushedQuestions(server: McpServer): void {
  const description = 'Asks in the middle of a call';

  server.registerTool(
    'test_sampling',
    { description, inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, { mcpReq }) => {
      const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: prompt } }];
      return says('LLM response', await mcpReq.requestSampling({ messages, maxTokens: 100 }));
    },
  );

  server.registerTool(
    'test_elicitation',
    { description, inputSchema: z.object({ message: z.string() }) },
    async ({ message }, { mcpReq }) =>
      says('User response', await mcpReq.elicitInput({ message, requestedSchema: user })),
  );

  for (const [name, requestedSchema] of Object.entries({
    test_elicitation_sep1034_defaults: defaults,
    test_elicitation_sep1330_enums: choices,
  })) {
    server.registerTool(name, { description, inputSchema: z.object({}) }, async (_, { mcpReq }) =>
      says('Elicitation completed', await mcpReq.elicitInput({ message: 'Please fill in', requestedSchema })),
    );
  }
}

type FormSchema = ElicitRequestFormParams['requestedSchema'];

const user: FormSchema = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
};

const defaults: FormSchema = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
};

const values = ['option1', 'option2', 'option3'];
const titled = values.map((value) => ({ const: value, title: `Title of ${value}` }));
const choices: FormSchema = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: values },
    titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: { type: 'string', enum: values, enumNames: titled.map(({ title }) => title) },
    untitledMulti: { type: 'array', items: { type: 'string', enum: values } },
    titledMulti: { type: 'array', items: { anyOf: titled } },
  },
};

function says(what: string, answer: unknown) {
  return { content: [{ type: 'text' as const, text: `${what}: ${JSON.stringify(answer)}` }] };
}
