/** The form of a mandate: the powers as ticks, and the sentence with its blanks. On the consent page and the console. */
import type { FC } from 'hono/jsx';
import type { Problems, Typed } from '../authority/blanks.ts';
import { blanks, DEFAULT_LIMITS, type Duration, DURATIONS, moment } from '../authority/mandate.ts';
import { BASE_SCOPE, type Scope } from '../deputy.ts';

/** The powers in plain words, each with what can go wrong. */
const POWERS: { scope: Scope; title: string; detail: string }[] = [
  { scope: 'shop:browse', title: 'Look around the shop', detail: 'Every deputy may do this.' },
  {
    scope: 'shop:buy',
    title: 'Buy shirts in your name, and cancel orders',
    detail: 'Orders are placed at once, and you pay for them, within the limits below.',
  },
  { scope: 'orders:read', title: 'Read your order history', detail: 'It shows companies, addresses and prices.' },
];

const CHOICES = ['hour', 'day', 'week', 'month'] as const satisfies Duration[];
const DURATION_WORDS: Record<Duration, string> = { hour: 'an hour', day: 'a day', week: 'a week', month: '30 days' };

const LABELS: Record<string, string> = {
  shirtsPerOrder: 'Shirts in one order',
  shirtsPerDay: 'Shirts in 24 hours',
  spendPerDay: 'US dollars in 24 hours',
  askAbove: 'Shirts in one order above which it must ask',
  until: 'How long',
};

export const Powers: FC<{ offered: readonly string[]; ticked: readonly string[] }> = ({ offered, ticked }) => (
  <fieldset>
    <legend>It may</legend>
    {POWERS.filter(({ scope }) => offered.includes(scope)).map(({ scope, title, detail }) => (
      <label class="power">
        <input
          type="checkbox"
          name="scope"
          value={scope}
          checked={scope === BASE_SCOPE || ticked.includes(scope)}
          disabled={scope === BASE_SCOPE}
        />
        <span>
          {title}
          <br />
          <small>{detail}</small>
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
      {blanks({ limits: DEFAULT_LIMITS, expiresAt: now }).map((part) =>
        typeof part === 'string' ? (
          part
        ) : part.blank === 'until' ? (
          <Until typed={typed['until'] ?? (ends ? 'keep' : 'week')} now={now} ends={ends} problems={problems} />
        ) : (
          <Blank name={part.blank} typed={typed} problems={problems} />
        ),
      )}
    </p>
    <ProblemList problems={problems} />
  </fieldset>
);

/** One blank, and the unit that follows it. */
export const Blank: FC<{ name: string; typed: Typed; problems: Problems }> = ({ name, typed, problems }) => {
  const money = name === 'spendPerDay';
  return (
    <span class="blank">
      {money && '$'}
      <input
        name={name}
        inputmode={money ? 'decimal' : 'numeric'}
        size={money ? 9 : 4}
        maxlength={12}
        required
        value={typed[name] ?? ''}
        aria-label={LABELS[name]}
        {...(problems[name] && { 'aria-invalid': 'true', 'aria-describedby': `${name}-problem` })}
      />
      {!money && ' shirts'}
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
    aria-label={LABELS['until']}
    {...(problems['until'] && { 'aria-invalid': 'true', 'aria-describedby': 'until-problem' })}
  >
    {ends && (
      <option value="keep" selected={typed === 'keep'}>
        as before: {moment(ends.keep)}
      </option>
    )}
    {CHOICES.map((name) => (
      <option value={name} selected={typed === name}>
        {DURATION_WORDS[name]} from now: {moment(Math.min(now + DURATIONS[name], ends?.latest ?? Infinity))}
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
            {LABELS[name] ?? name}: {text}
          </li>
        ))}
      </ul>
    </div>
  );
};
