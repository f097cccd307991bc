/** /deputies/profile: what the human keeps here for deputies that may read it. */
import { Hono } from 'hono';
import type { FC } from 'hono/jsx';
import { objectOf } from '../auth/requests.ts';
import type { AppContext, PageEnv } from '../auth/session.ts';
import { domain } from '../domain.ts';
import { type DeputyView, isLive } from '../ledger/view.ts';
import { Message } from '../pages/layout.tsx';
import { type ProfileSpec, readProfile } from '../tools/profile-tool.ts';
import { perform } from './acting.tsx';
import { Frame, type Looking, Post, type Said } from './frame.tsx';
import { accept, looking, visitor } from './guard.tsx';
import { nameOf } from './in-short.tsx';

export const profilePages = new Hono<{ Bindings: PageEnv }>();

type Texts = Readonly<Record<string, string>>;
type Status = 200 | 400 | 403 | 404 | 409;
/** What was typed and why it cannot be kept, in the place of what is. */
type Refused = { typed: Texts; version: number; problems: Texts };

profilePages.get('/', (c) => showProfile(c));

profilePages.post('/', async (c) => {
  const { profile } = domain;
  if (!profile) return showProfile(c);
  // Who changes where orders go could have them sent to another place.
  const form = await accept(c, 'confirmed');
  if (form instanceof Response) return form;
  const { userId, typed } = form;
  const version = Number(typed['version'] ?? 0);
  const read = readProfile(profile, typed);
  if ('fields' in read) return perform(c, userId, { do: 'profile', fields: read.fields, version }, showProfile);
  const said = { kind: 'no' as const, text: <b>Nothing was changed yet. Correct what is marked.</b> };
  return showProfile(c, said, 400, { typed, version, problems: read.problems });
});

async function showProfile(c: AppContext, said?: Said, status: Status = 200, refused?: Refused): Promise<Response> {
  const { profile } = domain;
  if (!profile) {
    return c.html(
      <Message title="There is nothing here" action={{ href: '/deputies', label: 'To your deputies' }}>
        <p>This server keeps no profile of you.</p>
      </Message>,
      404,
    );
  }
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const object = objectOf(c, session.user.userId);
  const [kept, { deputies }] = await Promise.all([object.lookAtProfile(), object.lookAtOverview()]);
  const form = refused ?? { typed: kept.fields, version: kept.version, problems: {} };
  const readers = deputies.filter((deputy) => isLive(deputy) && deputy.mandate.scopes.includes(profile.power));
  return c.html(<ProfilePage {...looking(c, session)} {...form} {...{ profile, readers, said }} />, status);
}

const ProfilePage: FC<Looking & Refused & { profile: ProfileSpec; readers: DeputyView[]; said?: Said }> = ({
  profile,
  typed,
  version,
  problems,
  readers,
  ...whose
}) => {
  const [first] = Object.keys(problems);
  return (
    <Frame {...whose} title={profile.title} class="alone">
      <div class="sheet deed paper">
        <h1>{profile.title}</h1>
        <p>
          Deputies that you allowed “{domain.powers[profile.power]?.title}” can read this, and no others. It is in no
          line of your record. Leave everything empty to remove it.
        </p>
        <Post action="/deputies/profile" token={whose.token} class="stack">
          <input type="hidden" name="version" value={String(version)} />
          {Object.entries(profile.fields).map(([name, { label, rows }]) => (
            <>
              <label class="field">
                {label}
                <textarea
                  name={name}
                  rows={rows}
                  autofocus={name === first}
                  {...(problems[name] !== undefined && {
                    'aria-invalid': 'true',
                    'aria-describedby': `${name}-problem`,
                  })}
                >
                  {/* A browser drops the first line break. */}
                  {`\n${typed[name] ?? ''}`}
                </textarea>
              </label>
              {problems[name] !== undefined && <p id={`${name}-problem`}>It {problems[name]}</p>}
            </>
          ))}
          <div class="keys">
            <button class="key brass">Keep this</button>
            <a class="key" href="/deputies">
              Leave it
            </a>
          </div>
        </Post>
        <p class="small quiet">
          {readers.length === 0 ? 'None of your deputies may read it now.' : 'These may read it now: '}
          {readers.map((deputy, index) => (
            <>
              {index > 0 && ', '}
              <a href={`/deputies/${deputy.deputyId}`}>
                <bdi>{nameOf(deputy)}</bdi>
              </a>
            </>
          ))}
        </p>
      </div>
    </Frame>
  );
};
