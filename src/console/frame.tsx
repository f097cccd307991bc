/** The frame of the console's pages: who is looking, and forms that this server knows as its own. */
import type { FC, PropsWithChildren } from 'hono/jsx';
import type { Impersonator } from '../auth/authkit.ts';
import type { Authority } from '../authority/policy.ts';
import type { User } from '../deputy.ts';
import { Layout, SignedInAs } from '../pages/layout.tsx';
import { displayName } from '../text.ts';
import { FORM_TOKEN } from './guard.tsx';

/** What every page of the console needs: who is looking, the token of its forms, and whether the operator has stopped everything. */
export type Looking = { user: User; token: string; halted: boolean; impersonator: Impersonator | undefined };

type FrameProps = Looking & {
  title: string;
  /** For the style sheet: such a page has a heading of its own. */
  class?: string;
  scripts?: string[];
  authority?: Authority;
  /** For a page that follows the record: whose it is, which version, and in how many milliseconds it changes without any act. */
  live?: Record<'data-account' | 'data-version' | 'data-changes-in', string>;
};

export const Frame: FC<PropsWithChildren<FrameProps>> = ({
  user,
  title,
  authority = 'active',
  halted,
  impersonator,
  live,
  scripts,
  children,
  ...rest
}) => (
  <Layout
    {...rest}
    {...(scripts && { scripts })}
    title={authority === 'active' ? title : `${authority === 'paused' ? 'Paused' : 'Suspended'} · ${title}`}
    account={<SignedInAs user={user} leave="Sign out" returnTo="/" />}
    {...(live && { data: live, scripts: ['/idiomorph.js', '/live.js'] })}
  >
    {live && (
      <div id="live" class="live" data-state="lost" hidden>
        <span id="live-state" class="state" role="status">
          Connecting…
        </span>
        <button id="live-toggle" class="link" type="button">
          Stop live updates
        </button>
        <span id="live-news" class="hidden" role="status"></span>
      </div>
    )}
    {rest.class === undefined && <h1>{title}</h1>}
    {impersonator && (
      <p class="warning" role="status">
        <strong>
          <bdi>{displayName(impersonator.email)}</bdi> is signed in as <bdi>{displayName(user.name)}</bdi>
        </strong>
        {impersonator.reason && (
          <>
            , because: <bdi>{displayName(impersonator.reason)}</bdi>
          </>
        )}
        . Here you can look, pause and dismiss, and nothing else. The record says what you did.
      </p>
    )}
    {halted && (
      <p class="warning" role="status">
        <strong>The operator has stopped all deputies of everybody.</strong> None of yours can act until the operator
        lifts that. What you set here holds then.
      </p>
    )}
    {children}
  </Layout>
);

/** A form that carries the token. */
export const Post: FC<PropsWithChildren<{ action: string; token: string; class?: string }>> = ({
  action,
  token,
  children,
  ...rest
}) => (
  <form method="post" action={action} {...rest}>
    <input type="hidden" name={FORM_TOKEN} value={token} />
    {children}
  </form>
);
