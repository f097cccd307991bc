/** The console: who acts for me, what they may do, what they did, and stop. On one screen; plain forms, which a script keeps up to date. */
import type { Child, FC } from 'hono/jsx';
import { domain } from '../domain.ts';
import { isLive, type View, versionOf } from '../ledger/view.ts';
import { Copy, Notice } from '../pages/layout.tsx';
import { waysTo } from '../pages/ways.tsx';
import { actOf } from './acts-in-words.tsx';
import { Brake, Stopped } from './brake.tsx';
import { DeputyCard } from './deputy-card.tsx';
import { Frame, type Looking, Post, type Said } from './frame.tsx';
import { type NameOf, namesOf } from './in-short.tsx';
import { lastOf, Stream } from './stream.tsx';
import { Strip } from './strip.tsx';
import { WaitingRequests } from './waiting.tsx';

/** What the page shows before it refers to the page with all of them. */
const CARDS = 12;

/** Milliseconds for which the page says what was just done. */
const JUST_MS = 60_000;

type Props = Looking & { view: View; demoOff: boolean; origin: string; said?: Said };

export const ConsolePage: FC<Props> = ({ view, demoOff, origin, said, ...looking }) => {
  const { account, head, live, deputies, effects } = view;
  const { authority } = account;
  const clock = { ...looking.clock, now: view.now };
  const names = namesOf([...deputies, ...view.story.deputies]);
  const isFirst = live === 0 && deputies.length === 0 && effects.length === 0 && authority === 'active';
  return (
    <Frame
      {...looking}
      title="Your deputies"
      kind={isFirst ? 'first' : 'console'}
      authority={authority}
      said={said ?? justDone(view, names, clock)}
      live={{
        'data-account': looking.user.userId,
        'data-version': versionOf(head, account),
        'data-changes-in': String(view.changesIn ?? ''),
      }}
      foot={<Foot count={effects[0]?.number ?? 0} />}
    >
      {authority === 'active' ? (
        <Brake
          view={view}
          token={looking.token}
          halted={looking.halted}
          {...(live === 0 && {
            lead: 'Give this server’s address to an AI agent. It comes here and asks you what it may do.',
          })}
        />
      ) : (
        <Stopped view={view} token={looking.token} halted={looking.halted} clock={clock} />
      )}
      {view.banned && !demoOff && <DemoBan token={looking.token} />}
      {isFirst ? (
        <FirstUse address={`${origin}/mcp`} />
      ) : (
        <>
          <WaitingRequests {...view.asked} names={names} clock={clock} token={looking.token} />
          <Deputies {...looking} {...{ view, names, clock }} address={`${origin}/mcp`} />
          <Strip
            recent={view.recent}
            deputies={deputies.filter(isLive).map(({ deputyId }) => deputyId)}
            nameOf={names}
          />
          <Stream story={view.story} names={names} clock={clock} label="What happened, newest first" />
        </>
      )}
    </Frame>
  );
};

const Deputies: FC<Looking & { view: View; names: NameOf; address: string }> = ({
  view: { deputies, live, account, recent, story },
  names,
  clock,
  token,
  halted,
  address,
}) => {
  const shown = deputies.filter(isLive).slice(0, CARDS);
  return (
    <ol
      class="deputies"
      role="list"
      aria-label={account.authority === 'active' ? 'Your deputies' : 'Stopped'}
      tabindex={0}
    >
      {shown.map((deputy) => (
        <DeputyCard
          deputy={deputy}
          authority={account.authority}
          name={names(deputy.deputyId)}
          token={token}
          halted={halted}
          clock={clock}
          last={lastOf(deputy.deputyId, story, clock)}
          tried={recent.tried[deputy.deputyId]}
        />
      ))}
      {shown.length === 0 && (
        <li class="sheet way">
          <h2>Nobody acts for you</h2>
          <p>Give this address to an AI agent. It comes here and asks you what it may do.</p>
          <Copy text={address} what="the address" />
        </li>
      )}
      {live > CARDS && (
        <li class="sheet way">
          <p>
            And {live - CARDS} more: <a href="/deputies/all">all deputies</a>.
          </p>
        </li>
      )}
    </ol>
  );
};

/** What the form that led here has done, as the record says it. A stop needs no such words. */
function justDone({ did, now }: View, names: NameOf, clock: Looking['clock']): Said {
  if (!did || did.actor === 'deputy' || now - Date.parse(did.at) > JUST_MS) return undefined;
  if (did.act === 'paused' && did.deputy === undefined) return undefined;
  const { halt, text, terms } = actOf(did, (id) => <bdi>{names(id)}</bdi>, clock);
  return {
    ...(halt && { kind: 'halt' as const }),
    text: (
      <>
        <b>{text}.</b> {terms}
        {did.act === 'revoked' &&
          ' Its next call is refused, and it would have to ask you anew. What it did stays done.'}
      </>
    ),
  };
}

const DemoBan: FC<{ token: string }> = ({ token }) => (
  <div class="notes">
    <Notice icon="pause">
      <b>The demo ban is on.</b> A deputy has set it, for all of them, and any deputy can lift it. It is a switch for
      the stage, and no stop of yours.{' '}
      <Post action="/deputies/unban" token={token}>
        <button class="key mini">Lift the demo ban</button>
      </Post>
    </Notice>
  </div>
);

/** What to do, for somebody who is here for the first time. */
const FirstUse: FC<{ address: string }> = ({ address }) => (
  <>
    <Copy text={address} what="the address" big />
    <ol class="steps" role="list">
      <Step title="It asks" drawn={<Asks />} text="You see who it is, or that nobody can tell." />
      <Step title="You sign" drawn={<Signs />} text="How much, how often, until when." />
      <Step title="It acts, you watch" drawn={<Acts />} text="Every act shows here at once. One key stops them all." />
    </ol>
    <section class="ways" aria-label="Ways to connect">
      {waysTo(address)
        .slice(0, 3)
        .map(({ name, copy, what, text }) => (
          <section class="way sheet">
            <h3>{name}</h3>
            <Copy text={copy} what={what} />
            <p>{text}</p>
          </section>
        ))}
    </section>
  </>
);

const Step: FC<{ title: string; drawn: Child; text: string }> = ({ title, drawn, text }) => (
  <li>
    <h2>{title}</h2>
    <svg viewBox="0 0 200 64" aria-hidden="true">
      <rect fill="none" stroke="currentColor" stroke-dasharray="4 3" x="1" y="8" width="198" height="48" rx="8" />
      {drawn}
    </svg>
    <p>{text}</p>
  </li>
);

const Asks: FC = () => (
  <>
    <use class="kept" href="#star" x="12" y="14" width="36" height="36" />
    <rect x="60" y="20" width="84" height="9" rx="4" />
    <rect x="60" y="37" width="120" height="6" rx="3" />
  </>
);

const Signs: FC = () => (
  <>
    <rect x="12" y="20" width="60" height="6" rx="3" />
    <rect class="kept" x="78" y="16" width="22" height="12" />
    <rect x="106" y="20" width="80" height="6" rx="3" />
    <rect x="12" y="40" width="90" height="6" rx="3" />
    <rect class="kept" x="108" y="36" width="44" height="12" />
  </>
);

const Acts: FC = () => (
  <>
    <use href="#pip" class="kept" x="12" y="18" width="26" height="26" />
    <rect x="48" y="27" width="96" height="9" rx="4" />
    <rect class="curtain" x="156" y="20" width="34" height="22" rx="5" />
  </>
);

/** Everything else is a page of its own. The last one says whether this page is up to date. */
const Foot: FC<{ count: number }> = ({ count }) => (
  <>
    {/* The script keeps the text of this one up to date as well. */}
    <a href={`/deputies/${domain.act.nouns}`}>
      {count < 2 ? `Your ${domain.act.nouns}` : `All ${count} ${domain.act.nouns}`}
    </a>
    <a href="/deputies/all">All deputies</a>
    <a href="/deputies/ceiling">Limits of your account</a>
    <a href="/deputies/passkeys">Your passkeys</a>
    {domain.profile && <a href="/deputies/profile">{domain.profile.title}</a>}
    <a href="/deputies/record">The full record</a>
    <a href="/deputies/verify">Verify it</a>
    <a href="/deputies/record.jsonl">Download it</a>
    <a href="/deputies/erase">Delete your data</a>
    <span id="live" hidden>
      <span id="live-state" class="lamp" role="status">
        Connecting…
      </span>
      <button id="live-toggle" class="plain" type="button">
        Stop following
      </button>
      <span id="live-news" class="hidden" role="status"></span>
    </span>
  </>
);
