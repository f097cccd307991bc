/** The conformance suite's tools that need an answer of the user first, in the way of 2026-07-28: the client asks and calls again. */
import {
  acceptedContent,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

/** Signs what travels through the client between two calls. The key guards nothing outside of a conformance run. */
export const requestState = createRequestStateCodec<{ name?: string }>({
  key: 'only for conformance runs, where it guards nothing',
});

const noArguments = z.object({});
const nameSchema = z.object({ name: z.string() });
const okSchema = z.object({ ok: z.boolean() });
const colorSchema = z.object({ color: z.string() });
const contextSchema = z.object({ context: z.string() });

const askForName = (message: string) => inputRequired.elicit({ message, requestedSchema: nameSchema });
const askForOk = () => inputRequired.elicit({ message: 'Please confirm', requestedSchema: okSchema });
const askModel = (question: string, maxTokens: number) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: question } }],
    maxTokens,
  });

export function registerQuestions(server: McpServer): void {
  const tool = (name: string, description: string, call: (context: ServerContext) => Promise<Outcome> | Outcome) =>
    server.registerTool(name, { description, inputSchema: noArguments }, async (_, context) => call(context));

  for (const name of ['test_input_required_result_elicitation', 'test_streaming_elicitation']) {
    tool(name, 'Asks for a name', ({ mcpReq }) => {
      const answer = acceptedContent(mcpReq.inputResponses, 'user_name', nameSchema);
      return answer
        ? says(`Hello, ${answer.name}!`)
        : inputRequired({ inputRequests: { user_name: askForName('What is your name?') } });
    });
  }

  for (const name of ['test_input_required_result_sampling', 'test_missing_capability']) {
    tool(name, 'Asks the model of the client', ({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'capital_question');
      return answer.kind === 'sampling'
        ? says(`The model says: ${JSON.stringify(answer.result.content)}`)
        : inputRequired({ inputRequests: { capital_question: askModel('What is the capital of France?', 100) } });
    });
  }

  tool('test_input_required_result_list_roots', 'Asks for the roots', ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'client_roots');
    return answer.kind === 'roots'
      ? says(answer.roots.map(({ uri }) => uri).join(', '))
      : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  });

  for (const name of ['test_input_required_result_request_state', 'test_input_required_result_tampered_state']) {
    tool(name, 'Asks, and keeps a state with the client', async ({ mcpReq }) => {
      const answer = acceptedContent(mcpReq.inputResponses, 'confirm', okSchema);
      return answer && mcpReq.requestState() !== undefined
        ? says('state-ok')
        : inputRequired({ inputRequests: { confirm: askForOk() }, requestState: await requestState.mint({}) });
    });
  }

  tool('test_input_required_result_multiple_inputs', 'Asks three things at once', async ({ mcpReq }) => {
    const name = acceptedContent(mcpReq.inputResponses, 'user_name', nameSchema);
    const greeting = inputResponse(mcpReq.inputResponses, 'greeting');
    const roots = inputResponse(mcpReq.inputResponses, 'client_roots');
    if (name && greeting.kind === 'sampling' && roots.kind === 'roots' && mcpReq.requestState() !== undefined) {
      return says(`${JSON.stringify(greeting.result.content)}, ${name.name}, with ${roots.roots.length} roots`);
    }
    return inputRequired({
      inputRequests: {
        user_name: askForName('What is your name?'),
        greeting: askModel('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await requestState.mint({}),
    });
  });

  tool('test_input_required_result_multi_round', 'Asks twice', async ({ mcpReq }) => {
    const state = mcpReq.requestState<{ name?: string }>();
    const color = acceptedContent(mcpReq.inputResponses, 'step2', colorSchema);
    if (state?.name !== undefined && color) return says(`${state.name} likes ${color.color}`);
    const answer = acceptedContent(mcpReq.inputResponses, 'step1', nameSchema);
    if (state && answer) {
      const message = 'Step 2: What is your favorite color?';
      return inputRequired({
        inputRequests: { step2: inputRequired.elicit({ message, requestedSchema: colorSchema }) },
        requestState: await requestState.mint({ name: answer.name }),
      });
    }
    return inputRequired({
      inputRequests: { step1: askForName('Step 1: What is your name?') },
      requestState: await requestState.mint({}),
    });
  });

  tool('test_input_required_result_capabilities', 'Asks what the client can answer', () => {
    const capabilities = server.server.getClientCapabilities();
    return inputRequired({
      inputRequests: {
        ...(capabilities?.sampling && { capital_question: askModel('What is the capital of France?', 100) }),
        ...(capabilities?.elicitation && { user_name: askForName('What is your name?') }),
      },
    });
  });

  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'A prompt that asks for its context', argsSchema: noArguments },
    async (_, { mcpReq }) => {
      const answer = acceptedContent(mcpReq.inputResponses, 'user_context', contextSchema);
      const message = 'What context should the prompt use?';
      return answer
        ? { messages: [{ role: 'user', content: { type: 'text', text: `Use this: ${answer.context}` } }] }
        : inputRequired({
            inputRequests: { user_context: inputRequired.elicit({ message, requestedSchema: contextSchema }) },
          });
    },
  );
}

type Outcome = ReturnType<typeof says> | ReturnType<typeof inputRequired>;

function says(words: string) {
  return { content: [{ type: 'text' as const, text: words }] };
}
