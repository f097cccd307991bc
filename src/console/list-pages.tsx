/** Every deputy, and every effect, page by page: the console shows the newest of them. */
import type { FC } from 'hono/jsx';
import { domain } from '../domain.ts';
import { isEnded, WAITING } from '../ledger/approvals.ts';
import type { Deputy } from '../ledger/deputies.ts';
import type { Effect } from '../ledger/effects.ts';
import type { lookAtDeputies } from '../ledger/view.ts';
import { Thing } from '../pages/icons.tsx';
import { type Clock, When } from '../pages/when.tsx';
import { capital } from './brake.tsx';
import { DeputyCard } from './deputy-card.tsx';
import { Frame, type Looking } from './frame.tsx';
import { amountsInShort, brief, type NameOf, namesOf } from './in-short.tsx';

/** "Orders", as a heading, and where all of them are. */
export const EFFECTS_PATH = `/deputies/${domain.act.nouns}`;
export const EFFECTS_TITLE = capital(domain.act.nouns);

export const DeputiesPage: FC<Looking & { found: ReturnType<typeof lookAtDeputies>; first: boolean }> = ({
  found: { account, acting, deputies, older },
  first,
  ...looking
}) => {
  const names = namesOf(deputies);
  const now = account.authority === 'active' && !looking.halted ? acting : 0;
  return (
    <Frame {...looking} title="All deputies" class="stack" authority={account.authority}>
      <h1>All deputies</h1>
      <p class="lead">{now === 1 ? 'One acts' : `${now || 'None'} act`} for you. The newest come first.</p>
      {deputies.length === 0 && <p>{first ? 'Nobody yet.' : 'No older ones.'}</p>}
      <ol class="deputies all" role="list">
        {deputies.map((deputy) => (
          <DeputyCard
            deputy={deputy}
            authority={account.authority}
            name={names(deputy.deputyId)}
            token={looking.token}
            halted={looking.halted}
            clock={looking.clock}
            last={
              deputy.lastSeen && (
                <>
                  Last seen <When at={deputy.lastSeen} clock={looking.clock} />
                </>
              )
            }
          />
        ))}
      </ol>
      <Pages path="/deputies/all" first={first} query={older && `after=${older}`} />
    </Frame>
  );
};

type EffectsProps = Looking & { effects: Effect[]; deputies: Deputy[]; older: number | undefined; first: boolean };

/** `older` is what to pass as `before` for the page after this one. */
export const EffectsPage: FC<EffectsProps> = ({ effects, deputies, older, first, ...looking }) => (
  <Frame {...looking} title={EFFECTS_TITLE} class="stack">
    <h1>{EFFECTS_TITLE}</h1>
    <p class="lead">Each with the deputy that made it. The newest come first.</p>
    {effects.length === 0 && <p>{first ? 'None yet.' : 'No older ones.'}</p>}
    <ol class="stream sheet" role="list">
      {effects.map((effect) => (
        <EffectRow effect={effect} names={namesOf(deputies)} clock={looking.clock} />
      ))}
    </ol>
    <Pages path={EFFECTS_PATH} first={first} query={older === undefined ? undefined : `before=${older}`} />
  </Frame>
);

const EffectRow: FC<{ effect: Effect; names: NameOf; clock: Clock }> = ({ effect, names, clock }) => {
  const { id, number, at, state, amounts, deputyId } = effect;
  const drawn = domain.effect.brief?.(effect);
  return (
    <li class="buy" id={`${domain.act.noun}-${number}`}>
      <When at={at} clock={clock} />
      <Thing class={drawn?.tint ?? ''} />
      <div>
        <p>
          <b>
            {capital(domain.act.noun)} {number}
          </b>
          : {drawn?.what ?? amountsInShort(amounts)}
          {drawn?.more && `, ${drawn.more}`}, {state === WAITING || isEnded(state) ? 'asked for' : domain.act.did} by{' '}
          <a href={`/deputies/${deputyId}`}>
            <bdi>{names(deputyId)}</bdi>
          </a>
          {state !== 'confirmed' && (
            <>
              , <b>{state}</b>
            </>
          )}
        </p>
        <p class="small quiet">
          {Object.entries(domain.effect.columns).map(([title, read]) => (
            <>
              {title} <bdi>{read(effect)}</bdi>.{' '}
            </>
          ))}
          <code>{id}</code>
        </p>
      </div>
      <span class="sum num">{drawn?.sum && brief(drawn.sum)}</span>
    </li>
  );
};

/** To the next page, and back to the newest. */
export const Pages: FC<{ path: string; first: boolean; query: string | undefined }> = ({ path, first, query }) => (
  <p class="keys">
    {!first && (
      <a class="key" href={path}>
        Newest
      </a>
    )}
    {query !== undefined && query !== '' && (
      <a class="key" href={`${path}?${query}`}>
        Older
      </a>
    )}
  </p>
);
