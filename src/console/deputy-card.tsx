/** A deputy as its human sees it: a card that says what it may do and has left, or a row among many. */
import type { FC } from 'hono/jsx';
import { valueOf } from '../authority/limits.ts';
import type { Authority } from '../authority/policy.ts';
import { isNames } from '../authority/terms.ts';
import { moment, reads, readsAmounts, sentenceOf } from '../authority/words.ts';
import { domain } from '../domain.ts';
import { shownAs } from '../edge/client-document.ts';
import { type DeputyView, isLive } from '../ledger/view.ts';
import { Publisher } from '../pages/publisher.tsx';
import { isolated, toMinute } from '../text.ts';

/** Gives a deputy its name on the page. */
export type NameOf = (deputyId: string) => string;

/** Clients choose their names, and two of one kind have the same: those are told apart by when they were appointed. */
export function namesOf(deputies: DeputyView[]): NameOf {
  const named = Map.groupBy(deputies, (deputy) => shownAs(deputy).name);
  const names = new Map(
    [...named].flatMap(([name, same]) =>
      same.map(({ deputyId, appointedAt }) => [
        deputyId,
        same.length === 1 ? name : `${name} of ${appointedAt.slice(0, 19).replace('T', ' ')}`,
      ]),
    ),
  );
  return (deputyId) => names.get(deputyId) ?? 'A deputy that is gone';
}

type Shown = { deputy: DeputyView; authority: Authority; name: string };

export const DeputyCard: FC<Shown> = ({ deputy, authority, name }) => {
  const { deputyId, mandate, appointedAt, lastSeen, redirectHost } = deputy;
  return (
    <div class="card" id={deputyId}>
      <h3>
        <bdi>{name}</bdi> <Status deputy={deputy} authority={authority} />
      </h3>
      <p>
        <Publisher of={shownAs(deputy).publisher} />, goes back to <code>{redirectHost}</code>
      </p>
      <p>{sentenceOf(domain, 'It', mandate)}</p>
      <StillLeft deputy={deputy} />
      <p class="muted">
        Appointed {toMinute(appointedAt)}
        {lastSeen && `, last seen ${toMinute(lastSeen)}`} UTC.
      </p>
      <ChangeLink deputy={deputy} name={name} />
    </div>
  );
};

/** What is left within each limit that has a span. The ceiling of the account can leave less than the mandate does. */
const StillLeft: FC<{ deputy: DeputyView }> = ({ deputy: { deputyId, mandate, left } }) => (
  <div class="left">
    {Object.entries(domain.limits).map(([name, limit]) => {
      if (!left || isNames(limit) || limit.label === undefined || limit.per === 'act') return null;
      const id = `${deputyId}-${name}`;
      const [own = 0, all = 0] = [left.own[limit.of], left.all[limit.of]];
      const most = valueOf(mandate.limits, name, limit);
      return (
        <>
          <span id={id}>
            Left now: <strong>{reads(domain, name, all)}</strong> of {reads(domain, name, most)}
            {all < own && ', because the account allows no more'}
          </span>
          <progress aria-labelledby={id} max={most} value={all}></progress>
        </>
      );
    })}
  </div>
);

type Rows = { deputies: DeputyView[]; authority: Authority; nameOf: NameOf; label: string };

export const DeputyTable: FC<Rows> = ({ deputies, authority, nameOf, label }) => (
  <div class="scroll" tabindex={0} role="region" aria-label={label}>
    <table>
      <tr>
        <th>Deputy</th>
        <th>Status</th>
        <th>Left now</th>
        <th>Last seen</th>
        <th>Ends</th>
        <th>Change</th>
      </tr>
      {deputies.map((deputy) => (
        <tr>
          <td>
            <bdi>{nameOf(deputy.deputyId)}</bdi>
            <small>{publishedAt(deputy)}</small>
          </td>
          <td>
            <Status deputy={deputy} authority={authority} />
          </td>
          <td>{isLive(deputy) && leftInWords(deputy)}</td>
          <td>{deputy.lastSeen && toMinute(deputy.lastSeen)}</td>
          <td>{moment(deputy.mandate.expiresAt)}</td>
          <td>
            <ChangeLink deputy={deputy} name={nameOf(deputy.deputyId)} />
          </td>
        </tr>
      ))}
    </table>
  </div>
);

const ChangeLink: FC<{ deputy: DeputyView; name: string }> = ({ deputy, name }) =>
  isLive(deputy) ? (
    <a href={`/deputies/${deputy.deputyId}`} aria-label={`Change limits or dismiss ${isolated(name)}`}>
      Change limits or dismiss…
    </a>
  ) : null;

function publishedAt(deputy: DeputyView): string {
  const { publisher } = shownAs(deputy);
  return publisher ? publisher.host + publisher.path : 'unverified';
}

function leftInWords({ left }: DeputyView): string {
  return left ? readsAmounts(domain, left.all) : `may not ${domain.act.verb}`;
}

const Status: FC<{ deputy: DeputyView; authority: Authority }> = ({ deputy, authority }) => {
  const [words, kind] = statusOf(deputy, authority);
  return <span class={`badge ${kind}`}>{words}</span>;
};

function statusOf({ status, expired }: DeputyView, authority: Authority): [words: string, kind: string] {
  if (expired) return ['expired', 'ended'];
  if (status === 'pending') return ['appointed, not connected yet', 'waiting'];
  if (status === 'revoked') return ['dismissed', 'ended'];
  if (status === 'superseded') return ['replaced', 'ended'];
  return authority === 'active' ? ['active', 'active'] : [authority, 'paused'];
}
