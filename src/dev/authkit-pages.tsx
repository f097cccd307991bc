/** The two pages of the local AuthKit: where people sign in, and what it has recorded. */
import type { FC } from 'hono/jsx';
import { Layout } from '../pages/layout.tsx';
import { type AuditEvent, type Session, userIdOf } from './authkit-store.ts';

export const SignInPage: FC<{ query: Record<string, string | undefined>; problem?: string }> = ({ query, problem }) => (
  <Layout title="Sign in">
    <h1>Sign in</h1>
    <p class="warning">
      This is the <strong>local AuthKit</strong>, a stand-in for WorkOS on this computer. Any e-mail address works,
      without a password; one that starts with <code>admin@</code> is an administrator.
    </p>
    <form method="post" class="card">
      {Object.entries(query).map(
        ([name, value]) => value !== undefined && <input type="hidden" name={name} value={value} />,
      )}
      <p>
        <label for="email">E-mail address</label>
        <input
          id="email"
          name="email"
          type="email"
          placeholder="ada@example.com"
          required
          autofocus
          aria-describedby="problem"
        />
        <small id="problem">{problem}</small>
      </p>
      <details>
        <summary>Sign in as that user, for support</summary>
        <p>
          <label for="impersonator">Your own e-mail address</label>
          <input id="impersonator" name="impersonator" type="email" placeholder="support@example.com" />
        </p>
      </details>
      <div class="actions">
        <button class="primary" name="decision" value="continue">
          Continue
        </button>
        <button name="decision" value="cancel" formnovalidate>
          Cancel
        </button>
      </div>
    </form>
  </Layout>
);

export const DashboardPage: FC<{ sessions: Session[]; events: AuditEvent[] }> = ({ sessions, events }) => (
  <Layout title="Local AuthKit">
    <h1>Local AuthKit</h1>
    <p>What the WorkOS dashboard would show: who signed in, and the audit events it received. The newest come first.</p>
    <h2>Sign-ins</h2>
    {sessions.length === 0 && <p class="muted">Nobody has signed in yet.</p>}
    {sessions.length > 0 && (
      <div class="scroll" tabindex={0} role="region" aria-label="Sign-ins">
        <table>
          <tr>
            <th>E-mail</th>
            <th>Since</th>
            <th>Session</th>
            <th>User</th>
          </tr>
          {sessions.map(({ email, authTime, endedAt, impersonator }) => (
            <tr>
              <td>{email}</td>
              <td>{new Date(authTime * 1000).toISOString()}</td>
              <td>
                {endedAt ? `ended ${endedAt}` : 'active'}
                {impersonator && `, impersonated by ${impersonator.email}`}
              </td>
              <td>
                <form method="post" action={`/local-authkit/users/${userIdOf(email)}`}>
                  <button name="do" value="deactivate">
                    Remove from the organization
                  </button>
                  <button name="do" value="reactivate">
                    Take back into it
                  </button>
                  <button name="do" value="delete">
                    Delete
                  </button>
                </form>
              </td>
            </tr>
          ))}
        </table>
      </div>
    )}
    <form method="post" action="/local-authkit/keys">
      <button>Change the signing key</button>
    </form>
    <h2>Audit events</h2>
    {events.length === 0 && <p class="muted">None received yet.</p>}
    {events.map(({ organizationId, event, receivedAt }) => (
      <p>
        <small>
          {receivedAt}, {organizationId}
        </small>
        <br />
        <code>{JSON.stringify(event)}</code>
      </p>
    ))}
  </Layout>
);
