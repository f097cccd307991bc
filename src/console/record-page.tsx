/** The full record: each line for itself, filtered by plain forms, so that an address can be kept. */
import type { FC } from 'hono/jsx';
import { domain } from '../domain.ts';
import type { Search } from '../ledger/record.ts';
import type { lookAtRecord } from '../ledger/view.ts';
import { Icon } from '../pages/icons.tsx';
import { Frame, type Looking } from './frame.tsx';
import { type NameOf, namesOf } from './in-short.tsx';
import { Pages } from './list-pages.tsx';
import { Stream, titleOf } from './stream.tsx';

const PATH = '/deputies/record';

export const RecordPage: FC<Looking & { found: ReturnType<typeof lookAtRecord>; search: Search }> = ({
  found: { account, live, story, older, head },
  search,
  ...looking
}) => {
  const names = namesOf([...live, ...story.deputies]);
  const isPart = Object.values(search).some((value) => value !== undefined);
  return (
    <Frame {...looking} title="The full record" class="stack" authority={account.authority}>
      <h1>The full record</h1>
      <p class="lead">
        What you and your deputies did, and what was refused, in one chain of lines. It stands at line {head.sequence},{' '}
        <code>{head.hash.slice(0, 16)}…</code>
      </p>
      <Filters search={search} names={names} deputies={[...live, ...story.deputies].map(({ deputyId }) => deputyId)} />
      {isPart && (
        <p>
          {search.before !== undefined && `Lines before ${search.before}. `}
          <a href={PATH}>Show all, from the newest</a>
        </p>
      )}
      {story.lines.length === 0 && (
        <p>{older === undefined ? 'Nothing.' : 'Nothing among the lines looked through so far.'}</p>
      )}
      {story.lines.length > 0 && (
        <Stream story={story} names={names} clock={looking.clock} label="Lines of the record, newest first" whole />
      )}
      <Pages
        path={PATH}
        first={search.before === undefined}
        query={older === undefined ? undefined : queryOf({ ...search, before: older })}
      />
      <p class="keys">
        <a class="key" href="/deputies/verify">
          <Icon of="check" />
          Verify the record
        </a>
        <a class="key" href="/deputies/record.jsonl">
          <Icon of="down" />
          Download as JSON lines
        </a>
      </p>
    </Frame>
  );
};

const Filters: FC<{ search: Search; names: NameOf; deputies: string[] }> = ({ search, names, deputies }) => (
  <form id="filters" method="get" action={PATH} class="keys">
    <Choice
      label="Deputy"
      name="deputy"
      chosen={search.deputy}
      offered={[...deputies, ...(search.deputy ? [search.deputy] : [])].map((id) => [id, names(id)])}
    />
    <Choice
      label="Tool"
      name="tool"
      chosen={search.tool}
      offered={[...domain.tools.map(({ name }) => name), ...(search.tool ? [search.tool] : [])].map((tool) => [
        tool,
        titleOf(tool),
      ])}
    />
    <Choice
      label="Decision"
      name="decision"
      chosen={search.decision}
      offered={[
        ['allowed', 'Allowed'],
        ['refused', 'Refused'],
      ]}
    />
    <button class="key ink">Show these</button>
  </form>
);

/** `offered` are values and how they read. */
const Choice: FC<{ label: string; name: keyof Search; chosen: string | undefined; offered: [string, string][] }> = ({
  label,
  name,
  chosen,
  offered,
}) => (
  <label class="field">
    {label}
    <select name={name}>
      <option value="">All</option>
      {[...new Map(offered)].map(([value, text]) => (
        <option value={value} selected={value === chosen}>
          {text}
        </option>
      ))}
    </select>
  </label>
);

function queryOf(search: Search): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) if (value !== undefined) query.set(name, String(value));
  return query.toString();
}
