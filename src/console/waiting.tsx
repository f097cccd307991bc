/** What waits for the human's yes, on the console: each a ticket with the way to its page; and what they allowed in advance. */
import type { FC } from 'hono/jsx';
import { domain } from '../domain.ts';
import type { Allowance } from '../ledger/allowances.ts';
import type { WaitingView } from '../ledger/waiting-view.ts';
import { Icon, Thing } from '../pages/icons.tsx';
import { type Clock, When } from '../pages/when.tsx';
import { inShort } from './approval-page.tsx';
import { Post } from './frame.tsx';
import { amountsInShort, type NameOf } from './in-short.tsx';

/** Questions that the console shows as tickets, and those that it names after them; others follow once these are answered. */
const TICKETS = 2;
const NAMED = 8;

type Props = {
  waiting: readonly WaitingView[];
  allowances: readonly Allowance[];
  names: NameOf;
  clock: Clock;
  token: string;
};

export const WaitingRequests: FC<Props> = ({ waiting, allowances, names, clock, token }) =>
  waiting.length + allowances.length > 0 && (
    <div class="asks">
      {waiting.slice(0, TICKETS).map(({ effect, deputyId, endsAt }) => (
        <section class="ask sheet" aria-labelledby={`ask-${effect.number}`} data-asks={effect.id}>
          <Thing class={domain.effect.brief?.(effect).tint ?? ''} />
          <div>
            <h2 id={`ask-${effect.number}`}>
              <bdi>{names(deputyId)}</bdi> asks: {inShort(effect)}
            </h2>
            <p class="small quiet">
              {waiting.length > TICKETS && `One of ${waiting.length} questions. `}It ends{' '}
              <When at={endsAt} clock={clock} moment />.
            </p>
          </div>
          <p class="keys">
            <a class="key brass" href={`/deputies/approvals/${effect.id}`}>
              <Icon of="key" /> Look and answer
            </a>
          </p>
        </section>
      ))}
      {waiting.length > TICKETS && (
        <p class="small">
          {waiting.slice(TICKETS, TICKETS + NAMED).map(({ effect, deputyId }, index) => (
            <>
              {index > 0 && ' · '}
              <a href={`/deputies/approvals/${effect.id}`} data-asks={effect.id}>
                <bdi>{names(deputyId)}</bdi> asks: {inShort(effect)}
              </a>
            </>
          ))}
          {waiting.length > TICKETS + NAMED && ` · and ${waiting.length - TICKETS - NAMED} more`}
        </p>
      )}
      {allowances.map(({ line, deputyId, count, amounts, endsAt }) => (
        <section class="ask sheet" aria-labelledby={`allowed-${line}`}>
          <Icon of="check" />
          <div>
            <h2 id={`allowed-${line}`}>
              <bdi>{names(deputyId)}</bdi> need not ask for {count} more like the {domain.act.noun} of line {line}
            </h2>
            <p class="small quiet">
              At most {amountsInShort(amounts)} each, until <When at={endsAt} clock={clock} moment />.
            </p>
          </div>
          <Post action={`/deputies/allowances/${line}`} token={token} class="keys">
            <button class="key">Ask me again</button>
          </Post>
        </section>
      ))}
    </div>
  );
