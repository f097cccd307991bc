/** /how: the architecture as a drawing and in steps, for whoever asks how this works, on a stage or alone. */
import type { FC } from 'hono/jsx';
import { Layout, ToConsole } from './layout.tsx';

export const HowPage: FC<{ signIn: { name: string; local: boolean } }> = ({ signIn }) => (
  <Layout title="How it works" nav={<ToConsole class="me" />} foot={<a href="/">Connect a deputy</a>}>
    <section class="band">
      <h1>How a call is decided</h1>
      <p class="quiet">
        The token says who calls. What that deputy may do is decided at each call, in one place, where its human can
        stop it.
      </p>
    </section>
    <div class="drawn" tabindex={0} role="region" aria-label="The drawing">
      <img
        src="/how.svg"
        width="1040"
        height="500"
        alt="Agents and you reach the Worker. It sends one request at a time to your own Durable Object, where one transaction decides, acts and records, and where your stop is a row too."
      />
    </div>
    <section class="band">
      <h2 class="hidden">The steps</h2>
      <ol class="steps" role="list">
        <li>
          <h3>Who calls?</h3>
          <p>
            The Worker checks the token, which names one human and one deputy. It forwards no request of a client: it
            makes a new one.
          </p>
        </li>
        <li>
          <h3>May it?</h3>
          <p>
            The human’s own object asks: stopped? dismissed? in the mandate? within the limits? No answer is never a
            yes.
          </p>
        </li>
        <li>
          <h3>Do it, and say so</h3>
          <p>
            The decision, the deed and the line of the record are one transaction. Each line holds the hash of the one
            before.
          </p>
        </li>
        <li>
          <h3>Or stop it</h3>
          <p>
            Your stop is a row of the same database. Once it has answered, no call is decided in a deputy’s favour any
            more.
          </p>
        </li>
      </ol>
      {signIn.local && (
        <p>
          Here {signIn.name} stands in for WorkOS. <a href="/local-authkit">What it recorded</a>
        </p>
      )}
    </section>
  </Layout>
);
