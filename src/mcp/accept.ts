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

/** The same answer in a form that the client takes. An answer is one message, because no tool emits anything in between. */
export function inForm(
  answer: string,
  type: string | null,
  forms: readonly Form[],
): { body: string; type: string | null } {
  const isStream = type?.startsWith(FORMS.stream) ?? false;
  if (answer === '' || forms.includes(isStream ? 'stream' : 'json')) return { body: answer, type };
  if (!isStream) return { body: `event: message\ndata: ${answer}\n\n`, type: FORMS.stream };
  const data = answer.split('\n').find((line) => line.startsWith('data: ')) ?? '';
  return { body: data.slice('data: '.length), type: FORMS.json };
}
