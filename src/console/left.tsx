/** What is left of a deputy's day, drawn: the last unit as a ring, the first one thing by thing. */
import type { FC } from 'hono/jsx';
import { valueOf } from '../authority/limits.ts';
import type { Amounts } from '../authority/terms.ts';
import { reads } from '../authority/words.ts';
import { domain } from '../domain.ts';
import type { DeputyView } from '../ledger/view.ts';
import { brief, SPAN_LIMITS } from './in-short.tsx';

/** More than these are no longer told apart one by one. */
const MOST_PIPS = 20;

type Left = { name: string; unit: string; left: number; most: number; says: string; of: string };

/** What is left within each limit that has a span. The ceiling of the account can leave less than the mandate does. */
export function leftOfDay({ left, mandate }: DeputyView): Left[] {
  if (!left) return [];
  return SPAN_LIMITS.map(([name, limit]) => {
    const most = valueOf(mandate.limits, name, limit);
    const amount = left.all[limit.of] ?? 0;
    const inShort = (one: number) => brief(reads(domain, name, one));
    return { name, unit: limit.of, left: amount, most, says: inShort(amount), of: inShort(most) };
  });
}

/** With `locked`, it cannot use any of it now. */
export const Ring: FC<{ deputy: DeputyView; locked?: boolean }> = ({ deputy, locked }) => {
  const last = leftOfDay(deputy).at(-1);
  const part = last && last.most > 0 ? Math.round((last.left / last.most) * 100) : 0;
  const label = last ? `${last.says} of ${last.of} left today` : `It may not ${domain.act.verb}`;
  return (
    <svg class="ring" viewBox="0 0 64 64" role="img" aria-label={locked ? `Locked. ${label}` : label}>
      <circle cx="32" cy="32" r="28" />
      {part > 0 && (
        <circle class="left" cx="32" cy="32" r="28" pathLength="100" stroke-dasharray={`${part} 100`}></circle>
      )}
      {locked ? (
        <use href="#lock" x="20" y="19" width="24" height="24" />
      ) : last ? (
        <g text-anchor="middle">
          <text x="32" y="36" font-size={sizeFor(last.says)} font-weight="800">
            {last.says}
          </text>
          <text class="of" x="32" y="47" font-size="9.5">
            of {last.of}
          </text>
        </g>
      ) : (
        <use href="#star" x="20" y="20" width="24" height="24" />
      )}
    </svg>
  );
};

/** A long amount must not run over the ring. */
function sizeFor(text: string): number {
  return Math.min(17, Math.floor(82 / Math.max(text.length, 1)));
}

export const Pips: FC<{ deputy: DeputyView }> = ({ deputy }) => {
  const [first] = leftOfDay(deputy);
  if (!first) return null;
  const { left, most, of, says } = first;
  return (
    <div class="pips">
      <Drawn left={left} most={most} />
      <span>
        {of.endsWith(says.replace(/^\S+ /, '')) ? <b>{says.split(' ')[0]}</b> : <b>{says}</b>} of {of} left
      </span>
    </div>
  );
};

/** What is left with these amounts taken away, which are counted already, and what was there before. */
export const Leaves: FC<{ deputy: DeputyView; taken: Readonly<Amounts> }> = ({ deputy, taken }) => (
  <>
    {leftOfDay(deputy).map(({ name, unit, left, most, of, says }) => {
      const amount = taken[unit] ?? 0;
      return (
        <div class="pips">
          <Drawn left={left} taken={amount} most={most} />
          <span>
            <b>{says}</b> of {of}, now {brief(reads(domain, name, left + amount))}
          </span>
        </div>
      );
    })}
  </>
);

const Drawn: FC<{ left: number; taken?: number; most: number }> = ({ left, taken = 0, most }) =>
  most <= MOST_PIPS ? (
    <svg viewBox={`0 0 ${most * 17} 16`} width={most * 17} height="16" aria-hidden="true">
      {Array.from({ length: most }, (_, index) => (
        <use
          href="#pip"
          x={String(index * 17)}
          width="16"
          height="16"
          {...(index >= left && { class: index < left + taken ? 'taken' : 'gone' })}
        />
      ))}
    </svg>
  ) : (
    <svg class="bar-of" viewBox="0 0 100 10" preserveAspectRatio="none" width="170" height="12" aria-hidden="true">
      <path d="M0 0h100v10H0z" />
      {taken > 0 && <path class="taken" d={`M0 0h${((left + taken) / most) * 100}v10H0z`} />}
      <path class="kept" d={`M0 0h${(left / most) * 100}v10H0z`} />
    </svg>
  );
