/** The deputization: the page on which a human reads who asks, and says what that deputy may do. */
import type { ConsentDescription } from '@cloudflare/workers-oauth-provider';
import type { FC } from 'hono/jsx';
import { BASE_SCOPE, type Scope, type User } from '../deputy.ts';
import { visible } from '../text.ts';
import { Layout } from '../pages/layout.tsx';

/** The powers in plain words. */
const POWERS: { scope: Scope; title: string; detail: string }[] = [
  { scope: 'shop:browse', title: 'Look around the shop', detail: 'Every deputy may do this.' },
  { scope: 'shop:buy', title: 'Buy shirts in your name', detail: 'Orders are placed at once, and you pay for them.' },
  { scope: 'orders:read', title: 'Read your order history', detail: 'It shows companies, addresses and prices.' },
];

const MAX_NAME_LENGTH = 60;

/** A client chooses its own name: text only, without what could bend the line it stands in, and short. */
export function displayName(name: string): string {
  const plain = visible(name) || 'An app without a name';
  const characters = Array.from(plain);
  return characters.length > MAX_NAME_LENGTH ? `${characters.slice(0, MAX_NAME_LENGTH).join('')}…` : plain;
}

type Props = {
  user: User;
  details: ConsentDescription;
  /** Path and query of this page, to come back to after switching accounts. */
  here: string;
  handle: string;
};

export const ConsentPage: FC<Props> = ({ user, details, here, handle }) => {
  const client = displayName(details.clientName);
  return (
    <Layout title={`Appoint ${client}`}>
      <div class="account">
        <span>
          <bdi>{displayName(user.name)}</bdi>, {user.email}
        </span>
        <form method="post" action="/logout">
          <input type="hidden" name="return_to" value={here} />
          <button class="link">Not you?</button>
        </form>
      </div>
      <h1>
        Appoint <bdi>{client}</bdi> as your deputy?
      </h1>
      <div class="card">
        <dl>
          <dt>It calls itself</dt>
          <dd>
            <strong>
              <bdi>{client}</bdi>
            </strong>
          </dd>
          <dt>Published by</dt>
          <dd>
            {details.clientDomain ? (
              <strong>{details.clientDomain}</strong>
            ) : (
              'nobody we could verify: anyone can use this name'
            )}
          </dd>
          <dt>You go back to</dt>
          <dd>
            <code>{details.redirectHost}</code>
          </dd>
        </dl>
      </div>
      {details.redirectIsLoopback && (
        <p class="warning">
          <strong>This goes to a program on this computer.</strong> Any program here could be asking under this name.
          Continue only if you just started connecting it yourself.
        </p>
      )}
      <form method="post" action={here}>
        <input type="hidden" name="handle" value={handle} />
        <input type="hidden" name="user" value={user.userId} />
        <fieldset>
          <legend>It may</legend>
          {POWERS.map(({ scope, title, detail }) => (
            <label class="power">
              <input type="checkbox" name="scope" value={scope} checked disabled={scope === BASE_SCOPE} />
              <span>
                {title}
                <br />
                <small>{detail}</small>
              </span>
            </label>
          ))}
        </fieldset>
        <p class="muted">It never sees your password, and it cannot give itself more than you tick here.</p>
        <div class="actions">
          <button class="primary" name="decision" value="allow">
            Allow
          </button>
          <button name="decision" value="deny">
            Deny
          </button>
        </div>
      </form>
    </Layout>
  );
};
