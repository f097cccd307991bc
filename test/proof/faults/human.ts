/** The human in front of the pages: each act through its form, whatever the weather, with what its answer said. */
import type { Page } from '../../../src/dev/browser.ts';
import { Person } from '../../../src/dev/clients.ts';
import { ORIGIN, someone, workerFetch } from '../../support/worker.ts';
import type { Chance } from './chance.ts';
import type { HumanAct } from './history.ts';

/** The share of acts that use a page which was opened earlier, in another tab. */
const OLD_PAGES = 0.3;

type Posted = { answered: number; status: number; location: string };

export class Human {
  readonly person: Person;
  readonly #chance: Chance;
  readonly #tick: () => number;
  readonly #pages = new Map<string, { page: Page; shown: number }>();
  #posted: Posted | undefined;
  #posting = false;

  /** `tick` counts the moments of the history. */
  constructor(chance: Chance, tick: () => number) {
    this.#chance = chance;
    this.#tick = tick;
    this.person = new Person(someone(), ORIGIN, async (input, init) => {
      const isAct = init?.method === 'POST' && new URL(input).pathname.startsWith('/deputies');
      if (isAct) this.#posting = true;
      const response = await workerFetch(input, init);
      const location = response.headers.get('Location') ?? '';
      if (isAct) this.#posted = { answered: this.#tick(), status: response.status, location };
      return response;
    });
  }

  pause(): Promise<HumanAct> {
    return this.#act({ act: 'pause' }, '/deputies', 'Stop all');
  }
  resume(): Promise<HumanAct> {
    return this.#act({ act: 'resume' }, '/deputies/resume', 'Let these go on');
  }
  pauseOne(client: string, deputyId: string): Promise<HumanAct> {
    return this.#act({ act: 'pauseOne', client }, `/deputies/${deputyId}`, 'Pause');
  }
  resumeOne(client: string, deputyId: string): Promise<HumanAct> {
    return this.#act({ act: 'resumeOne', client }, `/deputies/${deputyId}`, 'Go on');
  }
  dismiss(client: string, deputyId: string): Promise<HumanAct> {
    return this.#act({ act: 'dismiss', client }, `/deputies/${deputyId}`, 'Dismiss for good');
  }
  amend(client: string, deputyId: string, fields: Record<string, string | string[]>): Promise<HumanAct> {
    return this.#act({ act: 'amend', client }, `/deputies/${deputyId}`, 'Sign the new terms', fields);
  }
  ceiling(fields: Record<string, string>): Promise<HumanAct> {
    return this.#act({ act: 'ceiling' }, '/deputies/ceiling', 'Set these limits', fields);
  }

  answer(act: 'approve' | 'deny', effectId: string): Promise<HumanAct> {
    return this.#act({ act }, `/deputies/approvals/${effectId}`, act === 'approve' ? 'Approve' : 'Deny');
  }

  /** An act that is not on the console, with nothing in between to be seen. */
  async appoint(client: string, work: () => Promise<void>): Promise<HumanAct> {
    const sent = this.#tick();
    const outcome = await work().then(
      () => 'done' as const,
      () => 'unknown' as const,
    );
    return { act: 'appoint', client, sent, answered: this.#tick(), outcome };
  }

  async #act(
    what: Pick<HumanAct, 'act' | 'client'>,
    path: string,
    button: string,
    fields: Record<string, string | string[]> = {},
  ): Promise<HumanAct> {
    this.#posted = undefined;
    this.#posting = false;
    const sent = this.#tick();
    let shown = sent;
    try {
      const known = this.#pages.get(path);
      const opened = known && this.#chance.happens(OLD_PAGES) ? known : { page: await this.person.walk(path), shown };
      this.#pages.set(path, opened);
      shown = opened.shown;
      await this.person.browser.press(opened.page, button, fields);
    } catch {
      // No such button on the page, or no answer: what was posted tells what came of it.
    }
    const { sequence, ...outcome } = this.#outcome();
    return { ...what, sent, shown, ...outcome, ...(what.act === 'pause' && sequence !== undefined && { sequence }) };
  }

  #outcome(): Pick<HumanAct, 'answered' | 'outcome' | 'sequence'> {
    const posted = this.#posted;
    if (!posted) return { answered: this.#tick(), outcome: this.#posting ? 'unknown' : 'none' };
    const { answered, status, location } = posted;
    const done = status === 303 && /^\/deputies(\/approvals\/[\w-]+)?(\?|$)/.test(location);
    const sequence = /[?&]did=(\d+)/.exec(location)?.[1];
    return {
      answered,
      outcome: done ? 'done' : status >= 500 ? 'unknown' : 'none',
      ...(sequence !== undefined && { sequence: Number(sequence) }),
    };
  }
}
