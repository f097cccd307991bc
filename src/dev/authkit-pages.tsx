/** The two pages of the local AuthKit: where people sign in, and what it has recorded. */
import type { FC } from 'hono/jsx';
import { Layout } from '../pages/layout.tsx';
import type { AuditEvent, Session } from './authkit-store.ts';

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
          </tr>
          {sessions.map(({ email, authTime, endedAt }) => (
            <tr>
              <td>{email}</td>
              <td>{new Date(authTime * 1000).toISOString()}</td>
              <td>{endedAt ? `ended ${endedAt}` : 'active'}</td>
            </tr>
          ))}
        </table>
      </div>
    )}
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
