/** Every deputy, and every effect page by page: the overview shows the first of them. */
import type { FC } from 'hono/jsx';
import { domain } from '../domain.ts';
import type { Effect } from '../ledger/effects.ts';
import { isLive, type Overview } from '../ledger/view.ts';
import { toMinute } from '../text.ts';
import { DeputyTable, namesOf } from './deputy-card.tsx';
import { Frame, type Looking } from './frame.tsx';

/** "Orders", as a heading, and where all of them are. */
export const EFFECTS_PATH = `/deputies/${domain.act.nouns}`;
export const EFFECTS_TITLE = `${domain.act.nouns.charAt(0).toUpperCase()}${domain.act.nouns.slice(1)}`;

export const DeputiesPage: FC<Looking & { overview: Overview }> = ({ overview: { account, deputies }, ...looking }) => {
  const live = deputies.filter(isLive);
  const ended = deputies.filter((deputy) => !isLive(deputy));
  const { authority } = account;
  const shown = { authority, nameOf: namesOf(deputies) };
  return (
    <Frame {...looking} title="Every deputy" authority={authority}>
      <h2>Acting for you: {live.length}</h2>
      {live.length > 0 && <DeputyTable {...shown} deputies={live} label="Acting for you" />}
      <h2>No longer acting for you: {ended.length}</h2>
      {ended.length > 0 && <DeputyTable {...shown} deputies={ended} label="No longer acting for you" />}
      <Back />
    </Frame>
  );
};

/** `older` is what to pass as `before` for the page after this one. */
export const EffectsPage: FC<Looking & { effects: Effect[]; older: number | undefined; first: boolean }> = ({
  effects,
  older,
  first,
  ...looking
}) => (
  <Frame {...looking} title={EFFECTS_TITLE}>
    {effects.length === 0 && <p class="muted">{first ? 'None yet.' : 'No older ones.'}</p>}
    {effects.length > 0 && <EffectTable effects={effects} />}
    <p class="actions">
      {!first && <a href={EFFECTS_PATH}>Newest</a>}
      {older !== undefined && <a href={`${EFFECTS_PATH}?before=${older}`}>Older</a>}
    </p>
    <Back />
  </Frame>
);

export const EffectTable: FC<{ effects: Effect[] }> = ({ effects }) => (
  <div class="scroll" tabindex={0} role="region" aria-label={EFFECTS_TITLE}>
    <table>
      <tr>
        <th>Number</th>
        <th>When</th>
        {Object.keys(domain.effect.columns).map((title) => (
          <th>{title}</th>
        ))}
        <th>Status</th>
        <th>Id</th>
      </tr>
      {effects.map((effect) => (
        <tr>
          <td>{effect.number}</td>
          <td>{toMinute(effect.at)}</td>
          {Object.values(domain.effect.columns).map((read) => (
            <td>
              <bdi>{read(effect)}</bdi>
            </td>
          ))}
          <td>{effect.state}</td>
          <td>
            <code>{effect.id}</code>
          </td>
        </tr>
      ))}
    </table>
  </div>
);

const Back: FC = () => (
  <a class="button" href="/deputies">
    To your deputies
  </a>
);
