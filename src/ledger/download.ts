/** The record as a file: read page by page, and never with a gap or a head that does not follow. */
import { hashOf, readLine } from './record.ts';

type TextLine = { sequence: number; line: string };
/** Up to `limit` lines after `after`, oldest first, as `RecordLines.text` gives them. */
type ReadPage = (after: number, limit: number) => Promise<TextLine[]>;

/** Lines read at a time. */
const PAGE = 1000;
/** Pages that are kept back at the start: until they are sent, reading can start again unseen. */
const KEPT_BACK = 5;
/** How often reading starts again. */
const MOST_STARTS = 3;

const INCOMPLETE = {
  incomplete: 'The record was pruned or erased while it was downloaded, so lines are missing here. Download it again.',
};

/**
 * The file in pieces. Its last line is the head, to be kept elsewhere: with it, nobody can rewrite the record unseen.
 * Pruning and erasing may come in between two pages: the file then starts again, or, once some of it was sent, ends with a
 * line that says so, and no head.
 */
export async function* downloaded(read: ReadPage): AsyncGenerator<string, void> {
  let kept: string[] | undefined = [];
  let starts = 1;
  let last: TextLine | undefined;
  for (;;) {
    // The last line is read once more: whatever comes next follows from it.
    const page = last ? await read(last.sequence - 1, PAGE + 1) : await read(0, PAGE + 1);
    const lines = last ? continued(page, last) : page;
    if (!lines) {
      if (kept && starts < MOST_STARTS) {
        [kept, last] = [[], undefined];
        starts += 1;
        continue;
      }
      yield `${(kept ?? []).join('')}${JSON.stringify(INCOMPLETE)}\n`;
      return;
    }
    last = lines.at(-1) ?? last;
    const text = lines.map(({ line }) => `${line}\n`).join('');
    const over = page.length <= PAGE;
    const end =
      over && last ? `${JSON.stringify({ head: { sequence: last.sequence, hash: hashOf(last.line) } })}\n` : '';
    if (kept && kept.length < KEPT_BACK && !over) {
      kept.push(text);
      continue;
    }
    yield `${(kept ?? []).join('')}${text}${end}`;
    if (over) return;
    kept = undefined;
  }
}

/** The lines of `page` that come after `last`, or undefined when the page does not continue it. */
function continued(page: TextLine[], last: TextLine): TextLine[] | undefined {
  const [first, ...rest] = page;
  if (first?.line === last.line) return rest;
  // Pruning up to that very line takes it away, and leaves nothing out.
  return first && readLine(first.line).previous === hashOf(last.line) ? page : undefined;
}
