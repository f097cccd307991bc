/** What a client takes as an answer, by its `Accept`: RFC 9110, section 12.5.1. */

const FORMS = { json: 'application/json', stream: 'text/event-stream' } as const;
type Form = keyof typeof FORMS;

/** What the object is asked with: its SDK takes nothing less. */
export const EITHER = `${FORMS.json}, ${FORMS.stream}`;

/** The forms that a client takes. Without `Accept` it takes any. */
export function formsIn(accept: string | null): Form[] {
  if (accept === EITHER) return ['json', 'stream'];
  const ranges = (accept?.trim() || '*/*').toLowerCase().split(',').flatMap(rangeIn);
  const isTaken = (type: string) => {
    const [kind] = type.split('/');
    // The most specific range decides.
    const range = [type, `${kind}/*`, '*/*'].map((name) => ranges.find((one) => one.name === name)).find(Boolean);
    return range !== undefined && range.quality > 0;
  };
  return (['json', 'stream'] as const).filter((form) => isTaken(FORMS[form]));
}

function rangeIn(text: string): { name: string; quality: number }[] {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim());
  const quality = parameters.find((one) => one.startsWith('q='));
  return name === '' ? [] : [{ name, quality: quality === undefined ? 1 : Number(quality.slice(2)) }];
}

/**
 * An answer of the object, all of it there. It is one message, because no tool emits anything in between. `call` is the tool
 * call that it answers, for the log.
 */
export type Answer = {
  status: number;
  headers: Record<string, string>;
  body: string;
  call?: { tool: string; outcome: string };
};

/** That answer in a form that the client takes. */
export function inForm({ status, headers, body }: Answer, forms: readonly Form[]): Response {
  const answer = new Response(body || null, { status, headers });
  const type = answer.headers.get('Content-Type');
  const isStream = type?.startsWith(FORMS.stream) ?? false;
  if (body === '' || forms.includes(isStream ? 'stream' : 'json')) return answer;
  const [form, text] = isStream ? [FORMS.json, dataOf(body)] : [FORMS.stream, `event: message\ndata: ${body}\n\n`];
  const translated = new Response(text, answer);
  translated.headers.set('Content-Type', form);
  return translated;
}

function dataOf(stream: string): string {
  const data = stream.split('\n').find((line) => line.startsWith('data: ')) ?? '';
  return data.slice('data: '.length);
}
