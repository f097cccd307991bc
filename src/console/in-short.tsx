/** Deputies and amounts in few words: names, what is left, the gist of a mandate, and the mandate as a sentence. */
import type { FC } from 'hono/jsx';
import { valueOf } from '../authority/limits.ts';
import type { Mandate } from '../authority/mandate.ts';
import { type Amounts, basePower, isNames, maySpend, type NumberLimit } from '../authority/terms.ts';
import { isNamed, withArticle } from '../authority/units.ts';
import { neverAsks } from '../authority/limits.ts';
import { blanksOf, reads } from '../authority/words.ts';
import { domain } from '../domain.ts';
import { shownAs } from '../edge/client-document.ts';
import type { Deputy } from '../ledger/deputies.ts';
import { type Clock, When } from '../pages/when.tsx';
import { displayName } from '../text.ts';

/** Gives a deputy its name on the page. */
export type NameOf = (deputyId: string) => string;

/** What its human calls it, or else the client itself. */
export function nameOf(deputy: Deputy): string {
  return deputy.name === undefined ? shownAs(deputy).name : displayName(deputy.name);
}

/** Clients choose their names, and two of one kind have the same: those are told apart by when they were appointed. */
export function namesOf(deputies: readonly Deputy[]): NameOf {
  const each = new Map(deputies.map((deputy) => [deputy.deputyId, deputy]));
  const names = new Map(
    [...Map.groupBy(each.values(), nameOf)].flatMap(([name, same]) =>
      same.map(({ deputyId, appointedAt }) => [
        deputyId,
        same.length === 1 ? name : `${name} of ${appointedAt.slice(5, 19).replace('T', ' ')}`,
      ]),
    ),
  );
  return (deputyId) => names.get(deputyId) ?? 'A deputy that is gone';
}

/** "$50" for "$50.00": on a small screen the cents of whole dollars say nothing. */
export function brief(text: string): string {
  return text.replace(/\.00(?!\d)/g, '');
}

/** "7 shirts, $175", of the units that are counted. */
export function amountsInShort(amounts: Readonly<Amounts>): string {
  return unitsIn(amounts)
    .map(([, text]) => text)
    .join(', ');
}

/** Each counted unit with how much of it. */
export function unitsIn(amounts: Readonly<Amounts>): [name: string, text: string][] {
  return Object.entries(domain.units).flatMap(([name, unit]): [string, string][] => {
    const amount = amounts[name];
    return amount === undefined || isNamed(unit) ? [] : [[name, brief(unit.reads(amount))]];
  });
}

/** The limits of a span that a human fills in: what is left of them is shown. */
export const SPAN_LIMITS = Object.entries(domain.limits).filter(
  (entry): entry is [string, NumberLimit] =>
    !isNames(entry[1]) && entry[1].label !== undefined && entry[1].per !== 'act',
);

/** "2 shirts an order, never asks". */
export function gistOf({ scopes, limits }: Pick<Mandate, 'scopes' | 'limits'>): string {
  if (!maySpend(domain, scopes)) return `may not ${domain.act.verb}`;
  const parts = Object.entries(domain.limits).flatMap(([name, limit]) => {
    if (limit.per !== 'act' || limit.label === undefined) return [];
    const value = brief(reads(domain, name, valueOf(limits, name, limit)));
    if (isNames(limit)) return [`only ${value}`];
    if (!limit.asks) return [`${value} ${withArticle(domain.act.noun)}`];
    return [neverAsks(domain, limits, name) ? 'never asks' : `asks above ${value}`];
  });
  return parts.join(', ');
}

const listFormat = new Intl.ListFormat('en');

/** The mandate as it was signed, with its end where the human is. */
export const Deed: FC<{ who: string; mandate: Pick<Mandate, 'scopes' | 'limits' | 'expiresAt'>; clock: Clock }> = ({
  who,
  mandate,
  clock,
}) => {
  const base = basePower(domain);
  const powers = Object.entries(domain.powers).filter(([scope]) => scope === base || mandate.scopes.includes(scope));
  const end = <When at={mandate.expiresAt} clock={clock} moment />;
  return (
    <>
      <bdi>{who}</bdi> may {listFormat.format(powers.map(([, power]) => power.reads))} in your name
      {maySpend(domain, mandate.scopes) ? (
        <>
          .{' '}
          {blanksOf(domain, mandate).map((part) =>
            typeof part === 'string' ? part : part.blank === 'until' ? end : brief(part.reads),
          )}
        </>
      ) : (
        <>
          , until {end}. It may not {domain.act.verb}.
        </>
      )}
    </>
  );
};

const NUMBERS = 'No One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve'.split(' ');

/** "Three deputies". */
export function deputiesInWords(count: number): string {
  return `${NUMBERS[count] ?? String(count)} ${count === 1 ? 'deputy' : 'deputies'}`;
}

/** "once", "twice", "3 times". */
export function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;
}

/** Who did what the human does: somebody else in an impersonated session, whom WorkOS's own log names by that session. */
export function whoActed({ impersonation }: { impersonation?: string | undefined }): string {
  return impersonation === undefined ? 'You' : `Somebody who was signed in as you (${impersonation})`;
}
