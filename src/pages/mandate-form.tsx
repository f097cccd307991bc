/** The form of a mandate: the powers as ticks, and the sentence with its blanks. On the consent page and the console. */
import type { FC } from 'hono/jsx';
import type { Problems, Typed } from '../authority/form.ts';
import { startLimits } from '../authority/limits.ts';
import { basePower, isNames } from '../authority/terms.ts';
import { blanksOf, type Part } from '../authority/words.ts';
import { domain } from '../domain.ts';
import { type Duration, DURATIONS_MS } from '../lifetimes.ts';
import { Notice } from './layout.tsx';
import { type Clock, timeInWords } from './when.tsx';

const CHOICES = ['hour', 'day', 'week', 'month'] as const satisfies Duration[];
const DURATION_WORDS: Record<Duration, string> = { hour: 'an hour', day: 'a day', week: 'a week', month: '30 days' };

function labelOf(name: string): string {
  return name === 'until' ? 'How long' : (domain.limits[name]?.label ?? name);
}

/** `asked` is what a client asked for, where one did: the rest stands apart, so that nobody gives it by mistake. */
export const Powers: FC<{
  offered: readonly string[];
  ticked: readonly string[];
  asked?: readonly string[] | undefined;
}> = ({ offered, ticked, asked }) => {
  const base = basePower(domain);
  const isAsked = (scope: string) => asked === undefined || scope === base || asked.includes(scope);
  const added = offered.filter((scope) => !isAsked(scope));
  return (
    <div class="powers">
      <fieldset>
        <legend>{asked ? 'It asks to' : 'It may'}</legend>
        <Ticks scopes={offered.filter(isAsked)} ticked={ticked} />
      </fieldset>
      {added.length > 0 && (
        <fieldset>
          <legend>It does not ask to; you may add</legend>
          <Ticks scopes={added} ticked={ticked} />
        </fieldset>
      )}
    </div>
  );
};

const Ticks: FC<{ scopes: readonly string[]; ticked: readonly string[] }> = ({ scopes, ticked }) => {
  const base = basePower(domain);
  return (
    <>
      {Object.entries(domain.powers)
        .filter(([scope]) => scopes.includes(scope))
        .map(([scope, { title, detail, metered }]) => (
          <label class="tick">
            <input
              type="checkbox"
              name="scope"
              value={scope}
              checked={scope === base || ticked.includes(scope)}
              disabled={scope === base}
              {...(metered && { 'data-metered': '' })}
            />
            <span>
              {title}
              <small>{detail}</small>
            </span>
          </label>
        ))}
    </>
  );
};

/** A mandate that is being changed: its present end, which is the first choice, and the latest one. In milliseconds. */
type Ends = { keep: number; latest: number };

/** Without the power that the blanks are about, the style sheet shows one plain sentence in their place. */
export const Blanks: FC<{ typed: Typed; problems: Problems; clock: Clock; ends?: Ends | undefined }> = ({
  typed,
  problems,
  clock,
  ends,
}) => {
  const parts = blanksOf(domain, { limits: startLimits(domain), expiresAt: clock.now });
  // The last part before the blank of the end begins its sentence.
  const end = parts.findIndex((part) => typeof part === 'object' && part.blank === 'until');
  return (
    <fieldset class="terms">
      <legend>On these terms</legend>
      <p class="blanks">
        <span class="looking">It may not {domain.act.verb} anything. </span>
        <span class="buying">
          {parts.slice(0, end - 1).map((part) => (
            <Piece part={part} typed={typed} problems={problems} />
          ))}
        </span>
        {parts[end - 1]}
        <span class="blank">
          <Until typed={typed['until'] ?? (ends ? 'keep' : 'week')} clock={clock} ends={ends} problems={problems} />.
        </span>
      </p>
    </fieldset>
  );
};

/** Fixed words, or one blank with its unit before or after it. */
export const Piece: FC<{ part: Part; typed: Typed; problems: Problems }> = ({ part, typed, problems }) => {
  if (typeof part === 'string') return <>{part}</>;
  const { blank: name } = part;
  const limit = domain.limits[name];
  const unit = domain.units[limit?.of ?? ''];
  const optional = limit && !isNames(limit) && limit.asks;
  return (
    <span class="blank">
      {unit?.before}
      <input
        id={name}
        name={name}
        inputmode={unit?.keyboard}
        size={unit?.size}
        maxlength={unit?.keyboard === 'text' ? 500 : 12}
        {...(optional && { placeholder: 'never' })}
        value={(typed[name] ?? '').replace(/^(\d+)\.00$/, '$1')}
        aria-label={labelOf(name)}
        {...faultOf(name, problems)}
      />
      {unit?.after}
    </span>
  );
};

/** The first blank that is at fault gets the focus, and each is told by its own sentence. */
function faultOf(name: string, problems: Problems) {
  if (!problems[name]) return {};
  const isFirst = Object.keys(problems)[0] === name;
  return {
    'aria-invalid': 'true',
    'aria-describedby': `${name}-problem`,
    ...(isFirst && { autofocus: true }),
  } as const;
}

const Until: FC<{ typed: string; clock: Clock; ends: Ends | undefined; problems: Problems }> = ({
  typed,
  clock,
  ends,
  problems,
}) => (
  <select id="until" name="until" aria-label={labelOf('until')} {...faultOf('until', problems)}>
    {ends && (
      <option value="keep" selected={typed === 'keep'} data-at={String(ends.keep)} data-words="as before, {}">
        as before, {timeInWords(ends.keep, clock, true)}
      </option>
    )}
    {CHOICES.map((name) => {
      const at = Math.min(clock.now + DURATIONS_MS[name], ends?.latest ?? Infinity);
      const words = `{} (${DURATION_WORDS[name]})`;
      return (
        <option value={name} selected={typed === name} data-at={String(at)} data-words={words}>
          {words.replace('{}', timeInWords(at, clock, true))}
        </option>
      );
    })}
  </select>
);

/** What to change, once for each field, with the way to it. */
export const ProblemList: FC<{ problems: Problems; nothing: string }> = ({ problems, nothing }) => {
  const entries = Object.entries(problems);
  if (entries.length === 0) return null;
  return (
    <Notice kind="no" icon="cross" alert>
      <b>
        {nothing} {entries.length === 1 ? 'One thing does' : `${entries.length} things do`} not fit:
      </b>
      <ul role="list">
        {entries.map(([name, text]) => (
          <li id={`${name}-problem`}>
            <a href={`#${name}`}>
              {labelOf(name)}: {text}
            </a>
          </li>
        ))}
      </ul>
    </Notice>
  );
};
