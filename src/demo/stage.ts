/** What the audience of `pnpm demo` sees: scenes of plain lines, at most 72 columns, each with the time it took. */
import { createInterface } from 'node:readline';
import { styleText } from 'node:util';

const WIDTH = 72;

export type Step = {
  /** Who acts, e.g. "laptop". */
  who: string;
  /** What they do: a tool's name, or words. */
  does: string;
  /** One sentence about what came of it. */
  result: string;
  milliseconds: number;
};
export type Scene = { title: string; narration: string; play: (show: (step: Step) => void) => Promise<void> };

type Format = Parameters<typeof styleText>[0];

export class Stage {
  readonly #interactive: boolean;
  readonly #auto: boolean;
  readonly #color: boolean;

  /** `auto` advances by itself on a terminal too. Without a terminal, in CI and with NO_COLOR everything is plain. */
  constructor({ auto }: { auto: boolean }) {
    const plain = !process.stdout.isTTY || Boolean(process.env['CI']) || Boolean(process.env['NO_COLOR']);
    this.#color = !plain && process.env['TERM'] !== 'dumb';
    this.#interactive = !plain && process.stdin.isTTY;
    this.#auto = auto;
  }

  line(text = '', format?: Format): void {
    console.log(format && this.#color ? styleText(format, text, { validateStream: false }) : text);
  }

  show({ who, does, result, milliseconds }: Step): void {
    const time = `${Math.round(milliseconds)} ms`;
    const head = `  ${who.padEnd(8)} ${does}`;
    this.line(`${head.padEnd(WIDTH - time.length)}${time}`, 'cyan');
    const format = result.startsWith('REFUSED') ? 'red' : undefined;
    for (const text of wrap(result, WIDTH - 11)) this.line(`           ${text}`, format);
  }

  /** Plays the scenes from number `first` on; the ones before it are played unseen. Stops at the first that fails. */
  async play(scenes: readonly Scene[], first = 1): Promise<void> {
    for (const [index, scene] of scenes.entries()) {
      const number = index + 1;
      const seen = number >= first;
      if (seen) this.#open(`Scene ${number} of ${scenes.length}: ${scene.title}`, scene.narration);
      try {
        await scene.play((step) => seen && this.show(step));
      } catch (error) {
        throw new Error(`scene ${number} ("${scene.title}") failed: ${messageOf(error)}`, { cause: error });
      }
      if (seen && number < scenes.length) await this.#pause();
    }
  }

  #open(title: string, narration: string): void {
    if (this.#interactive) console.clear();
    this.line();
    this.line(title, 'bold');
    for (const text of wrap(narration, WIDTH)) this.line(text, 'dim');
    this.line();
  }

  async #pause(): Promise<void> {
    if (!this.#interactive || process.stdin.readableEnded) return;
    if (this.#auto) return void (await new Promise((done) => setTimeout(done, 4000)));
    this.line();
    this.line('  Press Enter for the next scene.', 'dim');
    const input = createInterface({ input: process.stdin });
    await new Promise<void>((done) => input.once('line', () => done()).once('close', () => done()));
    input.close();
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines;
}
