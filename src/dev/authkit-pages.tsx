/** The two pages of the local AuthKit: where people sign in, and what it has recorded. */
import type { FC } from 'hono/jsx';
import { Icon } from '../pages/icons.tsx';
import { Layout, Notice } from '../pages/layout.tsx';
import { type Clock, When } from '../pages/when.tsx';
import { type AuditEvent, type Session, userIdOf } from './authkit-store.ts';

export const SignInPage: FC<{ query: Record<string, string | undefined>; problem?: string }> = ({ query, problem }) => (
  <Layout title="Sign in" class="alone">
    <form method="post" class="sheet deed paper">
      <h1>Who are you?</h1>
      <p>First the server needs to know whose deputies these are.</p>
      {Object.entries(query).map(
        ([name, value]) => value !== undefined && <input type="hidden" name={name} value={value} />,
      )}
      {problem !== undefined && (
        <Notice kind="no" icon="cross" alert>
          <span id="problem">{problem}</span>
        </Notice>
      )}
      <label class="field">
        E-mail address
        <input
          id="email"
          name="email"
          type="email"
          placeholder="ada@example.com"
          autocomplete="email"
          required
          autofocus
          {...(problem !== undefined && { 'aria-invalid': 'true', 'aria-describedby': 'problem' })}
        />
      </label>
      <details>
        <summary>
          <u class="small">Sign in as that user, for support</u>
        </summary>
        <label class="field">
          Your own e-mail address
          <input name="impersonator" type="email" placeholder="support@example.com" />
        </label>
      </details>
      <div class="keys">
        <button class="key ink" name="decision" value="continue">
          Continue <Icon of="next" />
        </button>
        <button class="plain" name="decision" value="cancel" formnovalidate>
          Cancel
        </button>
      </div>
      <Notice icon="key">
        <b>This is the local AuthKit,</b> in place of WorkOS. Any address works, without a password. One that starts
        with <code>admin@</code> is an administrator.
      </Notice>
    </form>
  </Layout>
);

export const DashboardPage: FC<{ sessions: Session[]; events: AuditEvent[]; clock: Clock }> = ({
  sessions,
  events,
  clock,
}) => (
  <Layout title="Local AuthKit" class="stack">
    <h1>Local AuthKit</h1>
    <p class="lead">What the WorkOS dashboard would show: who signed in, and the audit events it received.</p>
    <div class="keys">
      <form method="post" action="/local-authkit/keys">
        <button class="key">Change the signing key</button>
      </form>
    </div>
    <h2>Sign-ins</h2>
    {sessions.length === 0 && <p>Nobody has signed in yet.</p>}
    <ol class="stream sheet" role="list">
      {sessions.map(({ email, authTime, endedAt, impersonator }) => (
        <li>
          <When at={authTime * 1000} clock={clock} />
          <Icon of={endedAt ? 'cross' : 'key'} class="mid" />
          <p>
            <b>
              <bdi>{email}</bdi>
            </b>{' '}
            {endedAt ? 'signed out' : 'is signed in'}
            {impersonator && (
              <>
                , impersonated by <bdi>{impersonator.email}</bdi>
              </>
            )}
          </p>
          <form class="keys" method="post" action={`/local-authkit/users/${userIdOf(email)}`}>
            <button class="key mini" name="do" value="deactivate">
              Remove from the organization
            </button>
            <button class="key mini" name="do" value="reactivate">
              Take back into it
            </button>
            <button class="key mini red" name="do" value="delete">
              Delete
            </button>
          </form>
        </li>
      ))}
    </ol>
    <h2>Audit events</h2>
    {events.length === 0 && <p>None received yet.</p>}
    <ol class="stream sheet" role="list">
      {events.map(({ organizationId, event, receivedAt }) => (
        <li class="read">
          <When at={receivedAt} clock={clock} />
          <i></i>
          <p>
            {organizationId}
            <br />
            <code>{JSON.stringify(event)}</code>
          </p>
        </li>
      ))}
    </ol>
  </Layout>
);
