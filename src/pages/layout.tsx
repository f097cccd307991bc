/** The frame of every page, and the plain page that says what went wrong and what to do next. */
import { raw } from 'hono/html';
import type { Child, FC, PropsWithChildren } from 'hono/jsx';
import type { User } from '../deputy.ts';
import { domain } from '../domain.ts';
import { displayName } from '../text.ts';

type Head = {
  title: string;
  /** Paths of our own scripts; the page must work without them. */
  scripts?: string[];
  /** What the scripts need to know of the page. */
  data?: Record<`data-${string}`, string>;
  /** Who is looking, and the way out. */
  account?: Child;
};

export const Layout: FC<PropsWithChildren<Head>> = ({ title, scripts = [], data, account, children }) => (
  <>
    {raw('<!doctype html>')}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} · ${domain.name}`}</title>
        <link rel="stylesheet" href="/simple.css" />
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="/icon.svg" />
        {scripts.map((path) => (
          <script src={path} defer></script>
        ))}
      </head>
      <body>
        <header>
          <a href="/">{domain.name}</a>
          {account}
        </header>
        <main id="page" {...data}>
          {children}
        </main>
      </body>
    </html>
  </>
);

/** Who is looking, with the button that signs out and comes back to `returnTo`, one of our own paths. */
export const SignedInAs: FC<{ user: User; leave: string; returnTo: string }> = ({ user, leave, returnTo }) => (
  <form method="post" action="/logout">
    <span>
      <bdi>{displayName(user.name)}</bdi>, <bdi>{user.email}</bdi>
    </span>
    <input type="hidden" name="return_to" value={returnTo} />
    <button class="link">{leave}</button>
  </form>
);

/** `action` is a link to one of our own paths, or to the app the person came from. */
export const Message: FC<PropsWithChildren<{ title: string; action?: { href: string; label: Child } | undefined }>> = ({
  title,
  action,
  children,
}) => (
  <Layout title={title}>
    <h1>{title}</h1>
    <div class="card">{children}</div>
    {action && (
      <a class="button primary" href={action.href}>
        {action.label}
      </a>
    )}
  </Layout>
);
