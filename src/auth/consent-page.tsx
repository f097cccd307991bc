/** The deputization: the page on which a human reads who asks, and says what that deputy may do. */
import type { ConsentDescription } from '@cloudflare/workers-oauth-provider';
import type { FC } from 'hono/jsx';
import type { Problems, Typed } from '../authority/form.ts';
import { sentenceOf } from '../authority/words.ts';
import type { User } from '../deputy.ts';
import { domain } from '../domain.ts';
import type { ConsentView } from '../ledger/view.ts';
import { shownAs } from '../edge/client-document.ts';
import { Layout, SignedInAs } from '../pages/layout.tsx';
import { Publisher } from '../pages/publisher.tsx';
import { Blanks, Never, Powers } from '../pages/mandate-form.tsx';
import { toMinute } from '../text.ts';

type Props = {
  user: User;
  details: ConsentDescription;
  /** Path and query of this page, to come back to after switching accounts. */
  here: string;
  handle: string;
  /** What this human's ledger says that the page needs. */
  known: ConsentView;
  /** What the form holds, and what is wrong with it. */
  form: { scopes: readonly string[]; typed: Typed; replaces: readonly string[]; problems: Problems };
  /** Milliseconds since the epoch: the present, and when this page was first made. */
  now: number;
  shown: number;
};

export const ConsentPage: FC<Props> = ({ user, details, here, handle, known, form, now, shown }) => {
  const { name: client, publisher } = shownAs(details);
  return (
    <Layout title={`Appoint ${client}`} account={<SignedInAs user={user} leave="Not you?" returnTo={here} />}>
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
            <Publisher of={publisher} />
            {!publisher && ': anyone can use this name'}
          </dd>
          <dt>You go back to</dt>
          <dd>
            <code>{details.redirectHost}</code>
          </dd>
        </dl>
      </div>
      {known.dismissed && (
        <p class="warning">
          <strong>
            You dismissed {known.dismissed.same ? 'this client' : 'a client of this name'} on{' '}
            {toMinute(known.dismissed.at)} UTC.
          </strong>{' '}
          {!known.dismissed.same && 'It went back to the same place, and this may be the same one, registered anew.'}
        </p>
      )}
      {known.authority !== 'active' && (
        <p class="warning">
          <strong>Your deputies are {known.authority}.</strong> This one will be {known.authority} too, until you resume
          them.
        </p>
      )}
      {details.redirectIsLoopback && (
        <p class="warning">
          <strong>This goes to a program on this computer.</strong> Any program here could be asking under this name.
          Continue only if you just started connecting it yourself.
        </p>
      )}
      <form method="post" action={here} id="consent">
        {/* What Enter in a field would press: granting takes a press of its own button. */}
        <button disabled hidden></button>
        <input type="hidden" name="handle" value={handle} />
        <input type="hidden" name="user" value={user.userId} />
        <input type="hidden" name="shown" value={String(shown)} />
        <Powers offered={Object.keys(domain.powers)} ticked={form.scopes} asked={details.scope} />
        <Blanks typed={form.typed} problems={form.problems} now={now} />
        {known.deputies.length > 0 && (
          <fieldset>
            <legend>You have appointed this app before</legend>
            {known.deputies.map(({ deputyId, appointedAt, mandate }) => (
              <label class="power">
                <input type="checkbox" name="replaces" value={deputyId} checked={form.replaces.includes(deputyId)} />
                <span>
                  Replace the deputy of {toMinute(appointedAt)} UTC
                  <br />
                  <small>{sentenceOf(domain, 'It', mandate)}</small>
                </span>
              </label>
            ))}
          </fieldset>
        )}
        <Never />
        <p class="muted">
          You can change this, pause it or dismiss it at any time on <a href="/deputies">the page of your deputies</a>.
        </p>
        {/* A page can open this one with its script switched off. A word is not typed by mistake. */}
        <noscript>
          <p>
            <label>
              Without script, type “yes” to show that you have read this:{' '}
              <input name="read" size={4} maxlength={10} placeholder="yes" required />
            </label>
          </p>
        </noscript>
        <div class="actions">
          <button class="primary" name="decision" value="allow">
            Allow
          </button>
          <button name="decision" value="deny" formnovalidate>
            Deny
          </button>
        </div>
        <p id="too-soon" role="status"></p>
      </form>
    </Layout>
  );
};
