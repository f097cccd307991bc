/** The console's pages as they are now, from one read of the ledger: asked for, or after an act that was not carried out. */
import { objectOf, originOf } from '../auth/requests.ts';
import { typedCeiling, typedLimits } from '../authority/form.ts';
import { readConfig } from '../config.ts';
import { domain } from '../domain.ts';
import type { SignIn } from '../auth/sealed-session.ts';
import type { AppContext } from '../auth/session.ts';
import { CeilingPage, DeputyPage, type Found } from './act-pages.tsx';
import { ConsolePage } from './console-page.tsx';
import type { Said } from './frame.tsx';
import { looking, visitor } from './guard.tsx';

type Status = 200 | 404 | 409;

/** `did` is the line of an act that was just carried out. */
export async function showConsole(c: AppContext, said?: Said, status: Status = 200, did?: number): Promise<Response> {
  const session = await visitor(c);
  return session instanceof Response ? session : consoleFor(c, session, { said, status, did });
}

export async function consoleFor(
  c: AppContext,
  session: SignIn,
  { said, status = 200, did }: { said?: Said; status?: Status; did?: number | undefined },
): Promise<Response> {
  const view = await objectOf(c, session.user.userId).look({}, did);
  const demoOff = readConfig(c.env).DEMO_TOOLS === 'off';
  return c.html(
    <ConsolePage {...looking(c, session)} view={view} demoOff={demoOff} origin={originOf(c)} said={said} />,
    status,
  );
}

/** One deputy of the human who is looking, or the console where they have none of that id. */
export async function showDeputy(
  c: AppContext,
  deputyId: string,
  said?: Said,
  status: Status = 200,
): Promise<Response> {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const found = await objectOf(c, session.user.userId).lookAtDeputy(deputyId);
  if (!found) {
    const unknown = said ?? { kind: 'no' as const, text: <b>You have no such deputy. It may be gone.</b> };
    return consoleFor(c, session, { said: unknown, status: 404 });
  }
  return c.html(<DeputyPage {...looking(c, session)} {...asItIs(found)} said={said} />, status);
}

/** The form of its terms, as they are. */
export function asItIs(found: Found) {
  const { limits, scopes } = found.deputy.mandate;
  return { found, scopes, typed: typedLimits(domain, limits), problems: {} };
}

export async function showCeiling(c: AppContext, said?: Said, status: Status = 200): Promise<Response> {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const { account } = await objectOf(c, session.user.userId).lookAtOverview();
  const { ceiling, ceilingVersion: version } = account;
  return c.html(
    <CeilingPage
      {...looking(c, session)}
      typed={typedCeiling(domain, ceiling)}
      version={version}
      problems={{}}
      said={said}
    />,
    status,
  );
}
