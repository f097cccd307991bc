/** The frame of the console's pages: who is looking, and forms that this server knows as its own. */
import type { FC, PropsWithChildren } from 'hono/jsx';
import type { User } from '../deputy.ts';
import { Layout } from '../pages/layout.tsx';
import { displayName } from '../text.ts';
import { FORM_TOKEN } from './guard.tsx';

/** What every page of the console needs: who is looking, and the token that its forms carry. */
export type Looking = { user: User; token: string };

export const Frame: FC<PropsWithChildren<Looking & { title: string; paused?: boolean }>> = ({
  user,
  title,
  paused,
  children,
}) => (
  <Layout title={paused ? `Paused · ${title}` : title}>
    <div class="account">
      <span>
        <bdi>{displayName(user.name)}</bdi>, {user.email}
      </span>
      <form method="post" action="/logout">
        <input type="hidden" name="return_to" value="/" />
        <button class="link">Sign out</button>
      </form>
    </div>
    <h1>{title}</h1>
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
