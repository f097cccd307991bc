/** The form of a mandate: the powers as ticks, and the sentence with its blanks. On the consent page and the console. */
import type { FC } from 'hono/jsx';
import type { Problems, Typed } from '../authority/form.ts';
import { startLimits } from '../authority/limits.ts';
import { basePower, isNames } from '../authority/terms.ts';
import { blanksOf, moment, type Part } from '../authority/words.ts';
import { domain } from '../domain.ts';
import { type Duration, DURATIONS_MS } from '../lifetimes.ts';

const CHOICES = ['hour', 'day', 'week', 'month'] as const satisfies Duration[];
const DURATION_WORDS: Record<Duration, string> = { hour: 'an hour', day: 'a day', week: 'a week', month: '30 days' };

function labelOf(name: string): string {
  return name === 'until' ? 'How long' : (domain.limits[name]?.label ?? name);
}

/** `asked` is what a client asked for, where one did. */
export const Powers: FC<{
  offered: readonly string[];
  ticked: readonly string[];
  asked?: readonly string[] | undefined;
}> = ({ offered, ticked, asked }) => (
  <fieldset>
    <legend>It may</legend>
    {Object.entries(domain.powers)
      .filter(([scope]) => offered.includes(scope))
      .map(([scope, { title, detail }]) => (
        <label class="power">
          <input
            type="checkbox"
            name="scope"
            value={scope}
            checked={scope === basePower(domain) || ticked.includes(scope)}
            disabled={scope === basePower(domain)}
          />
          <span>
            {title}
            <br />
            <small>
              {detail}
              {asked &&
                scope !== basePower(domain) &&
                ` It ${asked.includes(scope) ? 'asked' : 'did not ask'} for this.`}
            </small>
          </span>
        </label>
      ))}
  </fieldset>
);

/** What no mandate gives, whatever is ticked. */
export const Never: FC = () => (
  <fieldset>
    <legend>It can never</legend>
    <ul class="never">
      <li>give itself more than you say here, or lift a pause of yours</li>
      <li>appoint another deputy</li>
      <li>open the page of your deputies, or see your password</li>
    </ul>
  </fieldset>
);

/** A mandate that is being changed: its present end, which is the first choice, and the latest one. In milliseconds. */
type Ends = { keep: number; latest: number };

export const Blanks: FC<{ typed: Typed; problems: Problems; now: number; ends?: Ends | undefined }> = ({
  typed,
  problems,
  now,
  ends,
}) => (
  <fieldset>
    <legend>How much, and until when</legend>
    <p class="blanks">
      {blanksOf(domain, { limits: startLimits(domain), expiresAt: now }).map((part) =>
        typeof part === 'object' && part.blank === 'until' ? (
          <Until typed={typed['until'] ?? (ends ? 'keep' : 'week')} now={now} ends={ends} problems={problems} />
        ) : (
          <Piece part={part} typed={typed} problems={problems} />
        ),
      )}
    </p>
    <ProblemList problems={problems} />
  </fieldset>
);

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
        name={name}
        inputmode={unit?.keyboard}
        size={unit?.size}
        maxlength={unit?.keyboard === 'text' ? 500 : 12}
        {...(optional ? { placeholder: 'never' } : { required: true })}
        value={typed[name] ?? ''}
        aria-label={labelOf(name)}
        {...(problems[name] && { 'aria-invalid': 'true', 'aria-describedby': `${name}-problem` })}
      />
      {unit?.after}
    </span>
  );
};

const Until: FC<{ typed: string; now: number; ends: Ends | undefined; problems: Problems }> = ({
  typed,
  now,
  ends,
  problems,
}) => (
  <select
    name="until"
    aria-label={labelOf('until')}
    {...(problems['until'] && { 'aria-invalid': 'true', 'aria-describedby': 'until-problem' })}
  >
    {ends && (
      <option value="keep" selected={typed === 'keep'}>
        as before: {moment(ends.keep)}
      </option>
    )}
    {CHOICES.map((name) => (
      <option value={name} selected={typed === name}>
        {DURATION_WORDS[name]} from now: {moment(Math.min(now + DURATIONS_MS[name], ends?.latest ?? Infinity))}
      </option>
    ))}
  </select>
);

/** What to change, once for each field. */
export const ProblemList: FC<{ problems: Problems }> = ({ problems }) => {
  const entries = Object.entries(problems);
  if (entries.length === 0) return null;
  return (
    <div class="problem" role="alert">
      <strong>Nothing was changed yet. Please correct:</strong>
      <ul>
        {entries.map(([name, text]) => (
          <li id={`${name}-problem`}>
            {labelOf(name)}: {text}
          </li>
        ))}
      </ul>
    </div>
  );
};
