/** The human in front of the pages: each act through its form, whatever the weather, with what its answer said. */
import { hiddenFields, type Page } from '../../../src/dev/browser.ts';
import { Person } from '../../../src/dev/clients.ts';
import { optionsOn } from '../../support/answering.ts';
import { Authenticator } from '../../support/authenticator.ts';
import { ORIGIN, someone, workerFetch } from '../../support/worker.ts';
import type { Chance } from './chance.ts';
import type { HumanAct } from './history.ts';

/** The share of acts that use a page which was opened earlier, in another tab. */
const OLD_PAGES = 0.3;

/** How a human may answer with a device: as it should be, or in a way that proves nothing. */
type Signing = 'as it should be' | 'without the human' | 'something else' | 'once more';

type Fields = Record<string, string | string[]>;
const questionPath = (effectId: string) => `/deputies/approvals/${effectId}`;

type Posted = { answered: number; status: number; location: string };

export class Human {
  readonly person: Person;
  readonly #chance: Chance;
  readonly #tick: () => number;
  readonly #watch: () => () => { low: number };
  readonly #pages = new Map<string, { page: Page; shown: number }>();
  #posted: Posted | undefined;
  #posting = false;
  /** When they signed in, in milliseconds. */
  readonly signIns: number[] = [];
  readonly #devices: Authenticator[] = [];
  #lastSigned = '';

  /** `tick` counts the moments of the history; `watch` tells how low the clock goes until what it returns is called. */
  constructor(chance: Chance, tick: () => number, watch: () => () => { low: number }, email = someone()) {
    this.#chance = chance;
    this.#tick = tick;
    this.#watch = watch;
    this.person = new Person(email, ORIGIN, async (input, init) => {
      const isAct = init?.method === 'POST' && new URL(input).pathname.startsWith('/deputies');
      if (isAct) this.#posting = true;
      const before = Date.now();
      const response = await workerFetch(input, init);
      // The sign-in was at a moment between the two: the clock goes on meanwhile.
      if (init?.method === 'POST' && new URL(input).pathname.startsWith('/user_management/'))
        this.signIns.push(before, Date.now());
      const location = response.headers.get('Location') ?? '';
      if (isAct) this.#posted = { answered: this.#tick(), status: response.status, location };
      return response;
    });
  }

  pause(): Promise<HumanAct> {
    return this.#act({ act: 'pause' }, '/deputies', this.#press('Stop all'));
  }
  resume(): Promise<HumanAct> {
    return this.#act({ act: 'resume' }, '/deputies/resume', this.#press('Let these go on'));
  }
  pauseOne(client: string, deputyId: string): Promise<HumanAct> {
    return this.#act({ act: 'pauseOne', client }, `/deputies/${deputyId}`, this.#press('Pause'));
  }
  resumeOne(client: string, deputyId: string): Promise<HumanAct> {
    return this.#act({ act: 'resumeOne', client }, `/deputies/${deputyId}`, this.#press('Go on'));
  }
  dismiss(client: string, deputyId: string): Promise<HumanAct> {
    return this.#act({ act: 'dismiss', client }, `/deputies/${deputyId}`, this.#press('Dismiss for good'));
  }
  amend(client: string, deputyId: string, fields: Fields): Promise<HumanAct> {
    return this.#act({ act: 'amend', client }, `/deputies/${deputyId}`, this.#press('Sign the new terms', fields));
  }
  ceiling(fields: Fields): Promise<HumanAct> {
    return this.#act({ act: 'ceiling' }, '/deputies/ceiling', this.#press('Set these limits', fields));
  }

  deny(client: string, effectId: string): Promise<HumanAct> {
    return this.#act({ act: 'deny', client, effectId }, questionPath(effectId), this.#press('Deny'));
  }
  /** Says no and stops who asks: two acts by one press. The no counts only when nothing else was first. */
  async denyAndPause(client: string, effectId: string): Promise<HumanAct[]> {
    const paused = await this.#act({ act: 'pauseOne', client }, questionPath(effectId), (page) => {
      const [, name = ''] = /Deny and pause <bdi>([^<]*)/.exec(page.html) ?? [];
      return this.#press(`Deny and pause ${name}`)(page);
    });
    return [paused, { ...paused, act: 'deny', effectId, outcome: paused.outcome === 'none' ? 'none' : 'unknown' }];
  }
  /** Signs in again where that is needed, and signs with a device where that is; also where the page offers no yes. */
  approve(client: string, effectId: string, { next }: { next: boolean }): Promise<HumanAct> {
    const path = questionPath(effectId);
    return this.#act({ act: 'approve', client, effectId }, path, async (opened) => {
      let page = opened;
      if (page.html.includes('Sign in again to approve')) {
        await this.person.walk(`/login?return_to=${encodeURIComponent(path)}&fresh=1`);
        page = await this.person.walk(path);
      }
      const fields = { ...hiddenFields(page), decision: 'approve', ...(next && { next: 'yes' }) };
      return this.person.browser.post(path, { ...fields, ...(await this.#signed(fields, next)) });
    });
  }
  endAllowance(client: string, line: number): Promise<HumanAct> {
    return this.#act({ act: 'endAllowance', client, sequence: line }, '/deputies', (page) =>
      this.person.browser.submit(page, `/deputies/allowances/${line}`),
    );
  }
  addPasskey(): Promise<HumanAct> {
    return this.#act({ act: 'addPasskey' }, '/deputies/passkeys', async (page) => {
      const device = await Authenticator.make({ synced: this.#chance.happens(0.3) });
      this.#devices.push(device);
      const attestation = JSON.stringify(await device.attestation(optionsOn(page).challenge, { origin: ORIGIN }));
      return this.#press('Add a passkey', { attestation })(page);
    });
  }
  removePasskey(): Promise<HumanAct> {
    return this.#act({ act: 'removePasskey' }, '/deputies/passkeys', this.#press('Remove it'));
  }

  #press(button: string, fields: Fields = {}) {
    return (page: Page) => this.person.browser.press(page, button, fields);
  }

  /** What a device signs: the digest that the form names. */
  async #signed(
    { grade, shown = '', shownNext = '' }: Record<string, string>,
    next: boolean,
  ): Promise<{ assertion?: string }> {
    if (grade !== 'device' || this.#devices.length === 0) return {};
    const how = this.#chance.weighted<Signing>({
      'as it should be': 85,
      'without the human': 5,
      'something else': 5,
      'once more': 5,
    });
    if (how === 'once more' && this.#lastSigned !== '') return { assertion: this.#lastSigned };
    const challenge = (how === 'something else') === next ? shown : shownNext;
    const verified = how !== 'without the human';
    const assertion = await this.#chance.pick(this.#devices).assertion(challenge, { origin: ORIGIN, verified });
    this.#lastSigned = JSON.stringify(assertion);
    return { assertion: this.#lastSigned };
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
    what: Pick<HumanAct, 'act' | 'client' | 'effectId' | 'sequence'>,
    path: string,
    press: (page: Page) => Promise<unknown>,
  ): Promise<HumanAct> {
    this.#posted = undefined;
    this.#posting = false;
    const sent = this.#tick();
    let shown = sent;
    const watched = this.#watch();
    try {
      const known = this.#pages.get(path);
      const isOld = known && this.#chance.happens(OLD_PAGES);
      // At another browser something may be pressed while a page is on its way: it shows what was until it came.
      const opened = isOld ? known : { page: await this.person.walk(path), shown: this.#tick() };
      this.#pages.set(path, opened);
      shown = opened.shown;
      await press(opened.page);
    } catch {
      // No such button on the page, or no answer: what was posted tells what came of it.
    }
    const { sequence, ...outcome } = this.#outcome();
    const told = what.act === 'pause' && sequence !== undefined && { sequence };
    return { ...what, sent, shown, clock: watched().low, ...outcome, ...told };
  }

  #outcome(): Pick<HumanAct, 'answered' | 'outcome' | 'sequence'> {
    const posted = this.#posted;
    if (!posted) return { answered: this.#tick(), outcome: this.#posting ? 'unknown' : 'none' };
    const { answered, status, location } = posted;
    const done = status === 303 && /^\/deputies(\/approvals\/[\w-]+|\/passkeys)?(\?|$)/.test(location);
    const sequence = /[?&]did=(\d+)/.exec(location)?.[1];
    return {
      answered,
      outcome: done ? 'done' : status >= 500 ? 'unknown' : 'none',
      ...(sequence !== undefined && { sequence: Number(sequence) }),
    };
  }
}
