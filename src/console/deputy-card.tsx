/** A deputy as its human sees it: a card that says what it may do and has left, or a row among many. */
import type { FC } from 'hono/jsx';
import { leftOf, moment, sentenceOf, shirts } from '../authority/mandate.ts';
import { type DeputyView, isLive, type Standing } from '../authority/view.ts';
import { Publisher } from '../pages/publisher.tsx';
import { formatPrice } from '../shop/catalog.ts';
import { displayName, isolated, minute } from '../text.ts';

/** Gives a deputy its name on the page. */
export type NameOf = (deputyId: string) => string;

/** Clients choose their names, and two of one kind have the same: those are told apart by when they were appointed. */
export function namesOf(deputies: DeputyView[]): NameOf {
  const named = Map.groupBy(deputies, ({ clientName }) => displayName(clientName));
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

type Shown = { deputy: DeputyView; standing: Standing; name: string };

export const DeputyCard: FC<Shown> = ({ deputy, standing, name }) => {
  const { deputyId, mandate, clientDomain, appointedAt, lastSeen, redirectHost } = deputy;
  return (
    <div class="card" id={deputyId}>
      <h3>
        <bdi>{name}</bdi> <Status deputy={deputy} standing={standing} />
      </h3>
      <p>
        <Publisher domain={clientDomain} />, goes back to <code>{redirectHost}</code>
      </p>
      <p>{sentenceOf('It', mandate)}</p>
      {mandate.scopes.includes('shop:buy') && <Left deputy={deputy} standing={standing} />}
      <p class="muted">
        Appointed {minute(appointedAt)}
        {lastSeen && `, last seen ${minute(lastSeen)}`} UTC.
      </p>
      <ChangeLink deputy={deputy} name={name} />
    </div>
  );
};

/** What is left of a day. The ceiling of the account can leave less than the mandate does. */
const Left: FC<{ deputy: DeputyView; standing: Standing }> = ({ deputy, standing }) => {
  const { mandate, used } = deputy;
  const { limits } = mandate;
  const left = leftOf(limits, used, standing.account.ceiling, standing.used);
  const bars = [
    { id: 'shirts', max: limits.shirtsPerDay, used: used.shirts, value: left.shirts, reads: shirts },
    { id: 'spend', max: limits.spendPerDay, used: used.spend, value: left.spend, reads: formatPrice },
  ];
  return (
    <div class="left">
      {bars.map(({ id, max, used: gone, value, reads }) => {
        const label = `${deputy.deputyId}-${id}`;
        return (
          <>
            <span id={label}>
              Left now: <strong>{reads(value)}</strong> of {reads(max)}
              {value < max - gone && ', because the account allows no more'}
            </span>
            <progress aria-labelledby={label} max={max} value={value}></progress>
          </>
        );
      })}
    </div>
  );
};

type Rows = { deputies: DeputyView[]; standing: Standing; nameOf: NameOf; label: string };

export const DeputyTable: FC<Rows> = ({ deputies, standing, nameOf, label }) => (
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
            <small>{deputy.clientDomain ?? 'unverified'}</small>
          </td>
          <td>
            <Status deputy={deputy} standing={standing} />
          </td>
          <td>{isLive(deputy) && leftInWords(deputy, standing)}</td>
          <td>{deputy.lastSeen && minute(deputy.lastSeen)}</td>
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

function leftInWords({ mandate, used }: DeputyView, { account, used: usedByAll }: Standing): string {
  if (!mandate.scopes.includes('shop:buy')) return 'may not buy';
  const left = leftOf(mandate.limits, used, account.ceiling, usedByAll);
  return `${shirts(left.shirts)}, ${formatPrice(left.spend)}`;
}

const Status: FC<{ deputy: DeputyView; standing: Standing }> = ({ deputy, standing }) => {
  const [words, kind] = statusOf(deputy, standing.account.authority === 'paused');
  return <span class={`badge ${kind}`}>{words}</span>;
};

function statusOf({ status, expired }: DeputyView, paused: boolean): [words: string, kind: string] {
  if (expired) return ['expired', 'ended'];
  if (status === 'pending') return ['appointed, not connected yet', 'waiting'];
  if (status === 'revoked') return ['dismissed', 'ended'];
  if (status === 'superseded') return ['replaced', 'ended'];
  return paused ? ['paused', 'paused'] : ['active', 'active'];
}
