/** What a person sees who opens the address of the MCP endpoint in a browser: what to do with it. */
import type { FC } from 'hono/jsx';
import { Icon } from './icons.tsx';
import { Copy, Layout, ToConsole } from './layout.tsx';
import { waysTo } from './ways.tsx';

export const AddressPage: FC<{ address: string }> = ({ address }) => (
  <Layout title="This address is for your agent" kind="first" class="address" nav={<ToConsole class="me" />}>
    <section class="brake">
      <div>
        <h1>This address is for your agent</h1>
        <p>There is nothing to see here in a browser. Give the address to an AI agent, in one of these ways.</p>
      </div>
      <a class="key ink" href="/deputies">
        Your deputies <Icon of="next" />
      </a>
    </section>
    <Copy text={address} what="the address" big />
    <p>The agent comes back here with you: you sign in, read who asks, and sign what it may do. Then it has a key.</p>
    <section class="ways four" aria-label="Ways to connect">
      {waysTo(address).map(({ name, copy, what, text }) => (
        <section class="way sheet">
          <h2>{name}</h2>
          <Copy text={copy} what={what} />
          <p>{text}</p>
        </section>
      ))}
    </section>
  </Layout>
);
