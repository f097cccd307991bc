/** The deputization: a document on which a human reads who asks, fills in what that deputy may do, and signs. */
import type { ConsentDescription } from '@cloudflare/workers-oauth-provider';
import type { FC } from 'hono/jsx';
import { readLimits, type Problems, type Typed } from '../authority/form.ts';
import { atWorst, valueOf } from '../authority/limits.ts';
import { type Amounts, isNames, maySpend } from '../authority/terms.ts';
import { isNamed } from '../authority/units.ts';
import { sentenceOf } from '../authority/words.ts';
import type { User } from '../deputy.ts';
import { domain } from '../domain.ts';
import type { ConsentView } from '../ledger/view.ts';
import { shownAs } from '../edge/client-document.ts';
import { GradeChoice } from '../pages/grade-choice.tsx';
import { Icon } from '../pages/icons.tsx';
import { Layout, Notice, SignedInAs } from '../pages/layout.tsx';
import { Publisher } from '../pages/publisher.tsx';
import { Blanks, Powers, ProblemList } from '../pages/mandate-form.tsx';
import { type Clock, When } from '../pages/when.tsx';
import { displayName } from '../text.ts';

type Props = {
  user: User;
  details: ConsentDescription;
  /** Path and query of this page, to come back to after switching accounts. */
  here: string;
  handle: string;
  /** What this human's ledger says that the page needs. */
  known: ConsentView;
  /** What the form holds, and what is wrong with it; `unread` when Allow came before anybody can have read it. */
  form: { scopes: readonly string[]; typed: Typed; replaces: readonly string[]; problems: Problems; unread?: boolean };
  clock: Clock;
  /** When this page was first made, in milliseconds since the epoch. */
  shown: number;
};

export const ConsentPage: FC<Props> = ({ user, details, here, handle, known, form, clock, shown }) => {
  const { name: client } = shownAs(details);
  return (
    <Layout
      title={`Make ${client} your deputy?`}
      class="consent"
      scripts={['/consent.js']}
      account={<SignedInAs user={user} leave="Not you?" returnTo={here} />}
    >
      <form method="post" action={here} id="consent">
        {/* What Enter in a field would press: granting takes a press of its own button. */}
        <button disabled hidden></button>
        <input type="hidden" name="handle" value={handle} />
        <input type="hidden" name="user" value={user.userId} />
        <input type="hidden" name="shown" value={String(shown)} />
        <Asker details={details} />
        <div class="sheet deed paper">
          <ProblemList problems={form.problems} nothing="Nothing is granted yet." />
          <Warnings known={known} details={details} clock={clock} />
          <Powers offered={Object.keys(domain.powers)} ticked={form.scopes} asked={details.scope} />
          <Blanks typed={form.typed} problems={form.problems} clock={clock} />
          <GradeChoice typed={form.typed['approval']} />
          <Replaces known={known} chosen={form.replaces} clock={clock} />
          {/* A page can open this one with its script switched off. A word is not typed by mistake. */}
          {form.unread ? (
            <ByHand />
          ) : (
            <noscript>
              <ByHand required />
            </noscript>
          )}
          <p class="signature">
            <b>
              <bdi>{displayName(user.name)}</bdi>
            </b>
            <span>
              {user.email}, <When at={clock.now} clock={clock} moment />
            </span>
          </p>
        </div>
        <div class="decide">
          <p class="worst" id="worst">
            At worst today: <Worst known={known} form={form} /> <span>You can stop it at any moment.</span>
            <b id="too-soon" role="status" data-says={TOO_SOON}>
              {form.unread && TOO_SOON}
            </b>
          </p>
          <button class="key" name="decision" value="deny" formnovalidate>
            Deny
          </button>
          <button class="key brass grant" name="decision" value="allow" aria-describedby="worst">
            <Icon of="star" />
            Allow
          </button>
        </div>
      </form>
    </Layout>
  );
};

const TOO_SOON = 'That was too soon to have been read. Read it, then press Allow once more.';

/** The script takes it away, because it sees for itself. Where it could not be loaded, nothing else would do. */
const ByHand: FC<{ required?: boolean }> = ({ required }) => (
  <label class="field" id="by-hand">
    {required ? 'Without script, type' : 'Or type'} “yes” to show that you have read this
    <input name="read" size={4} maxlength={10} placeholder="yes" required={required} />
  </label>
);

/** Who asks, what proves it, and what no mandate gives, whatever is ticked. */
const Asker: FC<{ details: ConsentDescription }> = ({ details }) => {
  const { name: client, publisher } = shownAs(details);
  return (
    <div class="asker">
      <Icon of="badge" class="badge" />
      <h1>
        Make <bdi>{client}</bdi> your deputy?
      </h1>
      <dl class="pairs">
        <div>
          <dt>Who asks</dt>
          <dd>
            <Publisher of={publisher} />
            <br />
            <small>{publisher ? 'It proved that this name is its own.' : 'Anyone can use this name.'}</small>
          </dd>
        </div>
        <div>
          <dt>Afterwards you are back at</dt>
          <dd>
            {details.redirectIsLoopback ? (
              <>
                <b>a program on this computer</b>
                <br />
                <small>
                  <code>{details.redirectHost}</code>
                </small>
              </>
            ) : (
              <b>{details.redirectHost}</b>
            )}
          </dd>
        </div>
      </dl>
      <section class="never">
        <h2 class="label">Whatever you sign, it can never</h2>
        <ul role="list">
          {NEVER.map((what) => (
            <li>
              <Icon of="cross" />
              {what}
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
};

const NEVER = [
  'give itself more, or undo a stop of yours',
  'appoint another deputy',
  'open your pages, or see your password',
];

/** What a human may have forgotten, or could not know. */
const Warnings: FC<{ known: ConsentView; details: ConsentDescription; clock: Clock }> = ({ known, details, clock }) => (
  <>
    {known.dismissed && (
      <Notice kind="halt" icon="stop">
        <b>
          You dismissed {known.dismissed.same ? 'this client' : 'a client of this name'}{' '}
          <When at={known.dismissed.at} clock={clock} />.
        </b>{' '}
        It asks anew, and starts from nothing.
        {!known.dismissed.same && ' It went back to the same place, and this may be the same one, registered anew.'}
      </Notice>
    )}
    {known.authority !== 'active' && (
      <Notice kind="halt" icon="stop">
        <b>Your deputies are {known.authority === 'paused' ? 'stopped' : 'suspended'}.</b> This one will be too, until
        you resume them.
      </Notice>
    )}
    {known.halted && (
      <Notice kind="halt" icon="stop">
        <b>The operator has stopped this app.</b> It cannot go live until the operator lifts that.
      </Notice>
    )}
    {details.redirectIsLoopback && (
      <Notice icon="laptop">
        <b>Did you just connect it yourself?</b> It is a program on this computer, and any program here can say this
        name.
      </Notice>
    )}
  </>
);

const Replaces: FC<{ known: ConsentView; chosen: readonly string[]; clock: Clock }> = ({ known, chosen, clock }) =>
  known.deputies.length === 0 ? null : (
    <fieldset>
      <legend>You have appointed this app before</legend>
      {known.deputies.map(({ deputyId, appointedAt, mandate, paused }) => (
        <label class="tick">
          <input type="checkbox" name="replaces" value={deputyId} checked={chosen.includes(deputyId)} />
          <span>
            Replace the deputy of <When at={appointedAt} clock={clock} moment />
            {paused !== undefined && ', which you paused'}
            <small>{sentenceOf(domain, 'It', mandate)}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );

/** What the blanks allow at worst, within what the account still leaves; and what the script needs to say so while one types. */
const Worst: FC<Pick<Props, 'known' | 'form'>> = ({ known, form }) => {
  const spans = Object.entries(domain.limits).flatMap(([name, limit]) =>
    isNames(limit) || limit.label === undefined || limit.per === 'act' ? [] : [{ name, of: limit.of }],
  );
  const units = Object.entries(domain.units).flatMap(([of, unit]) => {
    const fields = spans.filter((span) => span.of === of).map(({ name }) => name);
    if (isNamed(unit) || fields.length === 0) return [];
    const { before = '', after = '', reads, keyboard } = unit;
    return [
      {
        of,
        fields,
        left: known.left[of] ?? null,
        scale: keyboard === 'decimal' ? 100 : 1,
        before,
        after,
        one: reads(1),
      },
    ];
  });
  const { price } = domain;
  const at = (of: string) => units.findIndex((unit) => unit.of === of);
  const powers = Object.keys(domain.powers).filter((scope) => domain.powers[scope]?.metered);
  const data = {
    units,
    price: price ? { of: at(price.of), in: at(price.in), each: price.each } : null,
    powers,
  };
  return <output data-worst={JSON.stringify(data)}>{worstOf(known, form)}</output>;
};

function worstOf(known: ConsentView, { scopes, typed }: Props['form']): string {
  if (!maySpend(domain, scopes)) return 'nothing.';
  const read = readLimits(domain, typed, known.ceiling);
  if ('problems' in read) return 'nothing, as it stands.';
  const left: Amounts = {};
  for (const [name, limit] of Object.entries(domain.limits)) {
    if (isNames(limit) || limit.label === undefined || limit.per === 'act') continue;
    const most = Math.min(valueOf(read.limits, name, limit), known.left[limit.of] ?? Infinity);
    left[limit.of] = Math.min(left[limit.of] ?? Infinity, most);
  }
  const most = Object.entries(atWorst(domain, left));
  if (most.some(([, amount]) => amount === 0)) return 'nothing, as it stands.';
  return `${most
    .flatMap(([of, amount]) => {
      const unit = domain.units[of];
      return unit && !isNamed(unit) ? [unit.reads(amount).replace(/\.00$/, '')] : [];
    })
    .join(', ')}.`;
}
