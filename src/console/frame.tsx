/** The frame of the console's pages: who is looking, and forms that this server knows as its own. */
import type { Child, FC, PropsWithChildren } from 'hono/jsx';
import type { Impersonator } from '../auth/authkit.ts';
import type { Authority } from '../authority/policy.ts';
import type { User } from '../deputy.ts';
import { Layout, Notice, SignedInAs, ToConsole } from '../pages/layout.tsx';
import type { Clock } from '../pages/when.tsx';
import { displayName } from '../text.ts';
import { FORM_TOKEN } from './guard.tsx';

/**
 * What every page of the console needs: who is looking, the token of its forms, whether the operator has stopped
 * everything, and the present, where they are.
 */
export type Looking = {
  user: User;
  token: string;
  halted: boolean;
  impersonator: Impersonator | undefined;
  clock: Clock;
};

/** What a page says first: an act that was carried out, or why one was not. */
export type Said = { kind?: 'no' | 'halt'; text: Child } | undefined;

type FrameProps = Looking & {
  title: string;
  kind?: string;
  class?: string;
  scripts?: string[];
  authority?: Authority;
  said?: Said;
  foot?: Child;
  /** For a page that follows the record: whose it is, which version, and in how many milliseconds it changes without any act. */
  live?: Record<'data-account' | 'data-version' | 'data-changes-in', string>;
};

export const Frame: FC<PropsWithChildren<FrameProps>> = ({
  user,
  title,
  authority,
  halted,
  impersonator,
  said,
  live,
  scripts,
  children,
  kind,
  foot,
  ...rest
}) => (
  <Layout
    {...(scripts && { scripts })}
    kind={kind}
    foot={foot}
    class={rest.class}
    title={authority === undefined || authority === 'active' ? title : `${STOPPED[authority]} · ${title}`}
    authority={authority}
    nav={live ? undefined : <ToConsole />}
    account={<SignedInAs user={user} leave="Sign out" returnTo="/" />}
    {...(live && {
      data: live,
      scripts: ['/idiomorph.js', '/live.js', '/ask.js'],
      icons: kind === 'first' ? FIRST_ICONS : LIVE_ICONS,
    })}
  >
    {(said !== undefined || impersonator !== undefined || halted) && (
      <div class="notes stack">
        {said && (
          <Notice
            {...(said.kind && { kind: said.kind })}
            icon={said.kind === 'no' ? 'cross' : said.kind === 'halt' ? 'stop' : 'check'}
            alert={said.kind === 'no'}
          >
            {said.text}
          </Notice>
        )}
        {impersonator && (
          <Notice icon="key">
            <b>
              <bdi>{displayName(impersonator.email)}</bdi> is signed in as <bdi>{displayName(user.name)}</bdi>
            </b>
            {impersonator.reason && (
              <>
                , because: <bdi>{displayName(impersonator.reason)}</bdi>
              </>
            )}
            . Here you can look, pause and dismiss, and nothing else. The record says what you did.
          </Notice>
        )}
        {halted && (
          <Notice kind="halt" icon="stop">
            <b>The operator has stopped all deputies of everybody.</b> None of yours can act until the operator lifts
            that. What you set here holds then.
          </Notice>
        )}
      </div>
    )}
    {children}
  </Layout>
);

/** What the console draws. It is the heaviest page, and fetched again and again. */
const FIRST_ICONS = ['stop', 'star', 'key'] as const;
const LIVE_ICONS = ['stop', 'lock', 'pause', 'star', 'seal', 'cross', 'check', 'key'] as const;

const STOPPED = { paused: 'Stopped', suspended: 'Suspended' };

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
