/** One sign-in whose every request lands at another place: registration, consent, code, calls, refreshes, revocation. */
import { Person } from '../../../src/dev/clients.ts';
import { authorizePath, callMessage, redeem, registeredClient, rpc, send } from '../../support/http.ts';
import { ORIGIN, someone, workerFetch } from '../../support/worker.ts';
import type { Places } from './places.ts';

/** Milliseconds until KV shows everywhere what was done, and no place remembers anything older. */
const SHOWN_EVERYWHERE_MS = 130_000;

type Tokens = { access_token: string; refresh_token: string };

/** Within which a client exchanges the code that it has been sent. KV takes no second write of a key so soon. */
export const AT_ONCE_MS = 500;

/** Longer than KV wants between two writes of one key. A client refreshes once a day. */
const BETWEEN_REFRESHES_MS = 1000;

/** A human whose browser is at another place with each request. */
export function wanderer(places: Places): Person {
  return new Person(someone(), ORIGIN, (input, init) => {
    places.move();
    return workerFetch(input, init);
  });
}

/** A new client of that human; returns what did not succeed at once. */
export async function signInFarAway(places: Places, human: Person): Promise<string[]> {
  const failures: string[] = [];
  async function step(name: string, ask: () => Promise<Response>, { status = 200, most = 5000 } = {}): Promise<Tokens> {
    places.move(most);
    const response = await ask();
    const text = await response.text();
    if (response.status !== status) failures.push(`${name}: ${response.status} ${text.slice(0, 200)}`);
    return response.ok && text.startsWith('{"access_token"') ? (JSON.parse(text) as Tokens) : NONE;
  }

  places.move();
  const clientId = await registeredClient();
  let code: string | null = null;
  try {
    code = (await human.answer(authorizePath(clientId))).get('code');
  } catch (error) {
    failures.push(`consent: ${String(error).slice(0, 200)}`);
  }
  const call = (tokens: Tokens) => () => rpc(tokens.access_token, callMessage('listMcpShopInventory'));
  const token = (fields: Record<string, string>) => () =>
    send('/token', { method: 'POST', body: new URLSearchParams({ client_id: clientId, ...fields }) });
  const refresh = ({ refresh_token }: Tokens) => token({ grant_type: 'refresh_token', refresh_token });

  const first = await step('code', () => redeem(clientId, code ?? ''), { most: AT_ONCE_MS });
  await step('call', call(first));
  await step('the next call', call(first));
  places.wait(BETWEEN_REFRESHES_MS);
  const second = await step('refresh', refresh(first));
  await step('call after the refresh', call(second));
  places.wait(BETWEEN_REFRESHES_MS);
  const third = await step('another refresh', refresh(second));
  await step('call after another refresh', call(third));
  await step('revocation', token({ token: third.refresh_token }));
  await step('refresh after the revocation', refresh(third), { status: 400 });
  places.wait(SHOWN_EVERYWHERE_MS);
  await step('call after the revocation', call(third), { status: 401 });
  places.forget();
  return failures;
}

const NONE: Tokens = { access_token: '', refresh_token: '' };
