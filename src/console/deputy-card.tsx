/** A deputy as its human sees it among others: who it is, what it may do and has left, what it did last, and its own brake. */
import type { Child, FC } from 'hono/jsx';
import type { Authority } from '../authority/policy.ts';
import { shownAs } from '../edge/client-document.ts';
import type { Tried } from '../ledger/recent.ts';
import { type DeputyView, isLive } from '../ledger/view.ts';
import { Icon } from '../pages/icons.tsx';
import { Publisher } from '../pages/publisher.tsx';
import { type Clock, When } from '../pages/when.tsx';
import { isolated } from '../text.ts';
import { Post } from './frame.tsx';
import { amountsInShort, Deed, gistOf } from './in-short.tsx';
import { Pips, Ring } from './left.tsx';

/** A deputy that did something so many milliseconds ago is at work. */
const ACTING_MS = 10_000;

type Shown = {
  deputy: DeputyView;
  authority: Authority;
  name: string;
  token: string;
  /** By the operator. */
  halted: boolean;
  clock: Clock;
  /** What it did last, and what it tried in vain since all were stopped. */
  last?: Child;
  tried?: Tried | undefined;
};

export const DeputyCard: FC<Shown> = ({ deputy, authority, name, token, halted, clock, last, tried }) => {
  const { deputyId, mandate, lastSeen, paused, left } = deputy;
  const live = isLive(deputy);
  const locked = !live || halted || authority !== 'active' || paused !== undefined;
  const isActing = lastSeen !== undefined && clock.now - Date.parse(lastSeen) < ACTING_MS && !locked;
  return (
    <li class={`deputy sheet${locked ? ' locked' : ''}${isActing ? ' acting' : ''}`} id={deputyId}>
      <Ring deputy={deputy} locked={locked} />
      <div class="name">
        <h2>
          <bdi>{name}</bdi>
        </h2>
        <Publisher of={shownAs(deputy).publisher} />
        {statusOf(deputy, authority) !== '' && <span class="small quiet">{statusOf(deputy, authority)}</span>}
      </div>
      {live && authority !== 'active' ? (
        <p class="tried">
          {tried ? (
            <>
              <b>{tried.count === 1 ? '1 attempt' : `${tried.count} attempts`}</b> refused, last{' '}
              <When at={tried.last} clock={clock} />
            </>
          ) : (
            !halted && <span class="quiet">Nothing tried since</span>
          )}
        </p>
      ) : (
        <>
          <details class="gist" id={`gist-${deputyId}`}>
            <summary>
              {gistOf(mandate)}, until <When at={mandate.expiresAt} clock={clock} moment />
            </summary>
            <p class="said">
              <Deed who={name} mandate={mandate} clock={clock} />
            </p>
          </details>
          {live && <Pips deputy={deputy} />}
        </>
      )}
      <div class="last">
        <p class={locked ? 'quiet' : ''}>
          {live && authority !== 'active' && left ? `It keeps ${amountsInShort(left.all)}` : last}
        </p>
        <div class="acts">
          {live && authority === 'active' && <OwnBrake deputy={deputy} name={name} token={token} small />}
          <a href={`/deputies/${deputyId}`} aria-label={`Change or dismiss ${isolated(name)}`}>
            {live ? 'Change' : 'Look'}
          </a>
        </div>
      </div>
    </li>
  );
};

/** Pauses this one, or lets it go on from the very pause that is shown. */
export const OwnBrake: FC<{ deputy: DeputyView; name: string; token: string; small?: boolean }> = ({
  deputy: { deputyId, paused },
  name,
  token,
  small,
}) => {
  const size = small ? ' mini' : '';
  return paused === undefined ? (
    <Post action={`/deputies/${deputyId}/pause`} token={token}>
      <button class={`key${size} red`} aria-label={`Pause ${isolated(name)}`}>
        <Icon of="pause" />
        Pause
      </button>
    </Post>
  ) : (
    <Post action={`/deputies/${deputyId}/resume`} token={token}>
      <input type="hidden" name="pause" value={String(paused)} />
      <button class={`key${size}`} aria-label={`Let ${isolated(name)} go on`}>
        <Icon of="star" />
        Go on
      </button>
    </Post>
  );
};

/** In words where it is anything but at work. */
export function statusOf({ status, expired, paused }: DeputyView, authority: Authority): string {
  if (expired) return 'its time is up';
  if (status === 'pending') return 'signed, not connected yet';
  if (status === 'revoked') return 'dismissed';
  if (status === 'superseded') return 'replaced';
  if (status === 'resigned') return 'gave its authority back';
  if (authority !== 'active') return '';
  return paused === undefined ? '' : 'paused by you';
}
