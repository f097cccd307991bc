/** The switch and what it did: the one thing that must be seen from the last row. */
import type { Child, FC } from 'hono/jsx';
import { SIGN_IN } from '../auth/names.ts';
import { domain } from '../domain.ts';
import { amountsInShort, deputiesInWords } from './in-short.tsx';
import { atWorst } from '../authority/limits.ts';
import { isLive, type View } from '../ledger/view.ts';
import { Icon } from '../pages/icons.tsx';
import { Message } from '../pages/layout.tsx';
import { type Clock, When } from '../pages/when.tsx';
import { Post } from './frame.tsx';

/** While deputies may act. */
export const Brake: FC<{ view: View; token: string; halted: boolean; lead?: Child }> = ({
  view,
  token,
  halted,
  lead,
}) => {
  const { live, paused } = view;
  const acting = halted ? 0 : live - paused;
  return (
    <section class="brake" id="brake" aria-label="Stop and go on">
      <div>
        <h1>
          {acting === 0 ? 'Nobody acts for you' : `${deputiesInWords(acting)} ${acting === 1 ? 'acts' : 'act'} for you`}
        </h1>
        <p>{lead ?? <Together view={view} halted={halted} />}</p>
      </div>
      <p class="small effect">
        {live === 0 ? 'Nothing to stop yet.' : 'Stops them at their very next call.'}
        <br />
        {live === 0 ? 'It works from the first call.' : 'What is done stays done.'}
      </p>
      <Switch token={token} idle={live === 0} />
    </section>
  );
};

/** What all of them may still do. */
const Together: FC<{ view: View; halted: boolean }> = ({ view: { deputies, live, paused, left }, halted }) => {
  const shown = deputies.filter((deputy) => isLive(deputy) && deputy.paused === undefined);
  const each = shown.flatMap((deputy) => (deputy.left ? [deputy.left.own] : []));
  // Of more than are shown, what the account leaves is all that is known.
  const own = (unit: string) =>
    shown.length < live - paused ? Infinity : each.reduce((sum, amounts) => sum + (amounts[unit] ?? 0), 0);
  const most = atWorst(
    domain,
    Object.fromEntries(
      Object.keys(domain.units).flatMap((unit) => {
        const amount = Math.min(own(unit), left[unit] ?? Infinity);
        return amount < Infinity ? [[unit, amount]] : [];
      }),
    ),
  );
  const who = paused > 0 ? 'the others' : 'they';
  return (
    <>
      {paused > 0 && `${deputiesInWords(paused)} ${paused === 1 ? 'is' : 'are'} paused. `}
      {live > paused && (
        <>
          {halted ? `Once the operator lets them, ${who} may` : `Together ${who} may still`} {domain.act.verb}{' '}
          <b>{amountsInShort(most)}</b> today. <a href="/deputies/ceiling">Change that</a>
        </>
      )}
    </>
  );
};

const Switch: FC<{ token: string; idle?: boolean }> = ({ token, idle }) => (
  <Post class="seat" action="/deputies/pause" token={token}>
    <button class={idle ? 'stop idle' : 'stop'}>
      <Icon of="stop" />
      Stop all
    </button>
  </Post>
);

/** While nobody may act: what the human said, or that the system has no human any more. The same figures in every window. */
export const Stopped: FC<{ view: View; token: string; halted: boolean; clock: Clock }> = ({
  view,
  token,
  halted,
  clock,
}) => {
  const { account, effects, recent } = view;
  const { authority, authorityAt, authorityTook, paused } = account;
  const word = authority === 'paused' ? 'Stopped' : 'Suspended';
  const tried = Object.values(recent.tried).reduce((sum, { count }) => sum + count, 0);
  const [last] = effects;
  return (
    <section class="brake" id="brake" aria-label="Stop and go on">
      <h1 class="shout" tabindex={-1} autofocus>
        <span class="hidden">{word}</span>
        <svg viewBox="6 0 864 146" aria-hidden="true">
          <text y="143" font-size="200" letter-spacing="-6" textLength="874" lengthAdjust="spacingAndGlyphs">
            {word.toUpperCase()}
          </text>
        </svg>
      </h1>
      <div class="restart">
        {paused ? (
          <div class="seat">
            <span class="stop down">
              <Icon of="lock" />
              Stopped
            </span>
          </div>
        ) : (
          <Switch token={token} />
        )}
        <a class="key" href="/deputies/resume">
          Resume…
        </a>
        <p class="small">
          {authority === 'suspended' ? (
            `${SIGN_IN} said that you were gone, or no longer in your organization. You can let them go on.`
          ) : (
            <>
              Every deputy{authorityAt !== undefined && ', '}
              {authorityAt !== undefined && <When at={authorityAt} clock={clock} />}. Whoever signs in now is stopped
              too. What is done stays done.
            </>
          )}
        </p>
      </div>
      <ul class="facts" role="list">
        {authorityTook !== undefined && (
          <li>
            <b class="num">{authorityTook} ms</b> and it held
          </li>
        )}
        {last && (
          <li>
            <b class="num">
              {capital(domain.act.noun)} {last.number}
            </b>{' '}
            was the last
          </li>
        )}
        {/* Under the operator's stop no attempt comes as far as the record. */}
        {!halted && (
          <li>
            <b class="num">
              {tried}
              {recent.cut && '+'}
            </b>{' '}
            {tried === 1 ? 'attempt' : 'attempts'} refused since
          </li>
        )}
      </ul>
    </section>
  );
};

export function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** All that is left while the identity provider cannot be reached: the brake. */
export const BrakePage: FC<{ token: string; paused: boolean }> = ({ token, paused }) => (
  <Message title={`${SIGN_IN} cannot be reached`} action={{ href: '/deputies', label: 'Try again' }}>
    {paused ? (
      <p>
        <b>Every deputy is stopped.</b> You can let them go on once {SIGN_IN} answers again.
      </p>
    ) : (
      <>
        <p>So nothing can be shown or granted now. You can still stop every deputy.</p>
        <Switch token={token} />
        <p class="small">It holds until you resume, once {SIGN_IN} answers again.</p>
      </>
    )}
    <p class="small">
      If it stays, <a href="/login?return_to=/deputies">sign in again</a>.
    </p>
    <form method="post" action="/logout">
      <button class="plain">Sign out</button>
    </form>
  </Message>
);
