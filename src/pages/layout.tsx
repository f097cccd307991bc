/** The frame of every page, and the plain page that says what went wrong and what to do next. */
import { raw } from 'hono/html';
import type { Child, FC, PropsWithChildren } from 'hono/jsx';
import type { Authority } from '../authority/policy.ts';
import type { User } from '../deputy.ts';
import { domain } from '../domain.ts';
import { displayName } from '../text.ts';
import { Icon, type IconName, Symbols } from './icons.tsx';

type Head = {
  title: string;
  /** Which page it is, for the style sheet: on `body`, and on `main`. */
  kind?: string | undefined;
  class?: string | undefined;
  /** Whether deputies may act, where the page shows it: it colours the whole page. */
  authority?: Authority | undefined;
  /** Paths of our own scripts; the page must work without them. */
  scripts?: string[];
  /** The drawings on it, where they are few; all of them otherwise. */
  icons?: readonly IconName[] | undefined;
  /** What the scripts need to know of the page. */
  data?: Record<`data-${string}`, string>;
  /** Other pages, who is looking, and the way out. */
  nav?: Child;
  account?: Child;
  foot?: Child;
};

/** Copies, and counts seconds; no page needs it. */
const PAGE_SCRIPT = '/page.js';

export const Layout: FC<PropsWithChildren<Head>> = ({
  title,
  kind,
  authority,
  icons,
  scripts = [],
  data,
  nav,
  account,
  foot,
  children,
  ...rest
}) => (
  <>
    {raw('<!doctype html>')}
    <html lang="en" data-now={String(Date.now())}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {authority !== undefined && authority !== 'active' ? (
          <meta name="theme-color" content="#cf0f1d" />
        ) : (
          <>
            <meta name="theme-color" content="#ecedee" media="(prefers-color-scheme: light)" />
            <meta name="theme-color" content="#0b0c0e" media="(prefers-color-scheme: dark)" />
          </>
        )}
        <title>{`${title} · ${domain.name}`}</title>
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="/icon.svg" />
        <link rel="preload" href="/overpass.woff2" as="font" type="font/woff2" crossorigin="" />
        {[...scripts, PAGE_SCRIPT].map((path) => (
          <script src={path} defer></script>
        ))}
      </head>
      <body {...(kind && { class: kind })}>
        <a class="skip hidden" href="#page">
          To the page
        </a>
        <Symbols only={icons} />
        <header class="bar">
          <a class="mark" href="/">
            <svg viewBox="0 0 32 32" aria-hidden="true">
              <use href="#tee" />
            </svg>
            {domain.name}
          </a>
          {nav}
          {account}
        </header>
        <main
          id="page"
          {...(rest.class && { class: rest.class })}
          {...(authority && { 'data-authority': authority })}
          {...data}
        >
          {children}
        </main>
        {foot && <footer class="foot">{foot}</footer>}
      </body>
    </html>
  </>
);

/** The way to one's own pages. */
export const ToConsole: FC<{ class?: string }> = ({ class: name }) => (
  <nav aria-label="Your pages" {...(name && { class: name })}>
    <a href="/deputies">Your deputies</a>
  </nav>
);

/** Who is looking, with the button that signs out and comes back to `returnTo`, one of our own paths. */
export const SignedInAs: FC<{ user: User; leave: string; returnTo: string }> = ({ user, leave, returnTo }) => (
  <form class="me" method="post" action="/logout">
    <span>
      <bdi>{displayName(user.name)}</bdi> <bdi>{user.email}</bdi>
    </span>
    <input type="hidden" name="return_to" value={returnTo} />
    <button class="plain">{leave}</button>
  </form>
);

/** A sentence that stands out. `no` says that nothing was done, `halt` that somebody stopped something. */
export const Notice: FC<PropsWithChildren<{ kind?: 'no' | 'halt'; icon?: IconName; alert?: boolean }>> = ({
  kind = '',
  icon,
  alert,
  children,
}) => (
  <div class={`notice ${kind}`} role={alert ? 'alert' : 'status'}>
    {icon && <Icon of={icon} />}
    <div>{children}</div>
  </div>
);

/** One thing to say. `action` is a link to one of our own paths, or to the app the person came from. */
export const Message: FC<PropsWithChildren<{ title: string; action?: { href: string; label: Child } | undefined }>> = ({
  title,
  action,
  children,
}) => (
  <Layout title={title} class="alone">
    <div class="sheet deed paper">
      <Icon of="badge" class="badge" />
      <h1>{title}</h1>
      {children}
      {action && (
        <div class="keys">
          <a class="key ink" href={action.href}>
            {action.label} <Icon of="next" />
          </a>
        </div>
      )}
    </div>
  </Layout>
);

/** Text to copy, with the button that does, which the script shows. Lines break between words alone. */
export const Copy: FC<{ text: string; what: string; big?: boolean; shown?: boolean }> = ({ text, what, big }) => (
  <div class={big ? 'copy big' : 'copy'}>
    <code tabindex={0}>
      {text.split(' ').map((word, index) => (
        <>
          {index > 0 && ' '}
          <span>{word}</span>
        </>
      ))}
    </code>
    <button type="button" class={big ? 'key brass' : 'key mini'} data-copy={text} aria-label={`Copy ${what}`} hidden>
      Copy
    </button>
  </div>
);
