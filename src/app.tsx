/** The pages: everything that is neither OAuth protocol nor MCP. The OAuth provider's default handler. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import { trimTrailingSlash } from 'hono/trailing-slash';
import { answerAuthError } from './auth/errors.tsx';
import { takeEvent } from './auth/presence.ts';
import { signInPlace } from './auth/names.ts';
import type { PageEnv } from './auth/session.ts';
import { auth } from './auth-handler.ts';
import { pages as consolePages } from './console/routes.tsx';
import { readConfig } from './config.ts';
import { domain } from './domain.ts';
import { logError } from './log.ts';
import { HowPage } from './pages/how.tsx';
import { AddressPage } from './pages/address-page.tsx';
import { LandingPage } from './pages/landing.tsx';
import { Message } from './pages/layout.tsx';

export const app = new Hono<{ Bindings: PageEnv }>();

app.use(
  secureHeaders({
    // No form-action: Chromium applies it to every redirect after a form, and consent ends in one to the client.
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      scriptSrc: ["'self'"],
      connectSrc: ["'self'"],
      imgSrc: ["'self'"],
      fontSrc: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    xFrameOptions: 'DENY',
    // "no-referrer" would make browsers send `Origin: null` with our own forms.
    referrerPolicy: 'same-origin',
    // Without includeSubDomains: the neighbours of a custom domain are not ours to decide about.
    strictTransportSecurity: 'max-age=31536000',
    // Clients open the consent page in a popup and wait for it to come back to them.
    crossOriginOpenerPolicy: false,
  }),
);
app.use(async (c, next) => {
  c.header('Cache-Control', 'no-store');
  await next();
});

app.use(trimTrailingSlash());

app.use(
  bodyLimit({
    maxSize: 64 * 1024,
    onError: (c) =>
      c.html(
        <Message title="This form is too large">
          <p>Nothing was changed. Our own forms are far smaller; go back and send one of them.</p>
        </Message>,
        413,
      ),
  }),
);

app.get('/', (c) => {
  const { origin } = new URL(c.req.url);
  return c.html(<LandingPage origin={origin} signIn={signInPlace(readConfig(c.env), origin)} />);
});

app.get('/how', (c) => c.html(<HowPage signIn={signInPlace(readConfig(c.env), new URL(c.req.url).origin)} />));

// Reached by `forPeople` alone: the OAuth provider answers for this address.
app.get('/mcp', (c) => c.html(<AddressPage address={`${new URL(c.req.url).origin}/mcp`} />, 401));

app.get('/healthz', (c) => c.json({ status: 'ok' }));

app.post('/webhooks/workos', takeEvent);

app.route('/', auth);
app.route('/deputies', consolePages);

app.notFound((c) =>
  c.html(
    <Message title="There is nothing here" action={{ href: '/', label: `To ${domain.name}` }}>
      <p>The address may be mistyped. MCP clients connect to /mcp.</p>
    </Message>,
    404,
  ),
);

app.onError((error, c) => {
  const answer = answerAuthError(error, c);
  if (answer) return answer;
  const id = crypto.randomUUID();
  logError('page_failed', error, { id });
  const onConsole = c.req.path.startsWith('/deputies');
  const action = onConsole
    ? { href: '/deputies', label: 'To your deputies' }
    : { href: '/', label: `To ${domain.name}` };
  return c.html(
    <Message title="Something broke on our side" action={action}>
      <p>Try again in a moment. If it stays, tell the operator this id:</p>
      <p>
        <code>{id}</code>
      </p>
    </Message>,
    500,
  );
});
