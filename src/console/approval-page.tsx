/** The page of one question: exactly what a deputy asks for, why it must ask, what it would leave, and the human's answer. */
import type { Child, FC } from 'hono/jsx';
import { SIGN_IN } from '../auth/names.ts';
import { loginPath } from '../auth/requests.ts';
import type { Grade } from '../authority/grade.ts';
import { reads, readsAmounts } from '../authority/words.ts';
import { domain } from '../domain.ts';
import type { ApprovalView } from '../ledger/approval-view.ts';
import { isEnded, WAITING } from '../ledger/approvals.ts';
import { NEXT_ALLOWED } from '../ledger/approving.ts';
import type { Effect } from '../ledger/effects.ts';
import { Icon, Thing } from '../pages/icons.tsx';
import { When } from '../pages/when.tsx';
import { quoted } from '../text.ts';
import { stoppedInWords } from './approval-words.tsx';
import { DEVICE_SCRIPT, DeviceFields } from '../auth/device.tsx';
import { Frame, type Looking, Post, type Said } from './frame.tsx';
import { nameOf } from './in-short.tsx';
import { Leaves, leftOfDay } from './left.tsx';

/** Things that are drawn one by one. */
const MOST_DRAWN = 4;

/** `fresh`: whether the human has just signed in; `unheard` when they have, and WorkOS does not say so. */
type Props = Looking & {
  view: ApprovalView;
  here: string;
  fresh: 'yes' | 'no' | 'unheard';
  host: string;
  said?: Said;
};

export const ApprovalPage: FC<Props> = ({ view, here, fresh, host, said, ...looking }) => {
  const { effect, deputy, approval } = view;
  const what = inShort(effect);
  const waits = effect.state === WAITING;
  const name = deputy ? nameOf(deputy) : 'A deputy that is gone';
  const { clock } = looking;
  return (
    <Frame
      {...looking}
      title={waits ? `${quoted(name)} asks: ${what}` : what}
      class="approval"
      scripts={[DEVICE_SCRIPT]}
      said={said}
    >
      <Post action={here} token={looking.token}>
        <article class="sheet deed order">
          <Pile effect={effect} />
          <div class="paper">
            <p>
              <span class="by">
                <bdi>{name}</bdi>
              </span>{' '}
              <span class="quiet small">
                {waits ? 'asks you' : 'asked you'}, <When at={effect.at} clock={clock} />
              </span>
            </p>
            <h1>{waits ? `${what}?` : what}</h1>
            <dl class="pairs">
              {factsOf(view).map(([term, fact]) => (
                <div>
                  <dt>{term}</dt>
                  <dd>{fact}</dd>
                </div>
              ))}
            </dl>
          </div>
        </article>
        {waits ? (
          <Answer {...{ view, here, fresh, host, name, clock }} isTheirs={looking.impersonator === undefined} />
        ) : (
          <Outcome effect={effect} granted={approval.state} />
        )}
      </Post>
    </Frame>
  );
};

/** What it is about, as the domain says it in short, or by its amounts. */
export function inShort(effect: Effect): string {
  const brief = domain.effect.brief?.(effect);
  if (!brief) return `${readsAmounts(domain, effect.amounts)}: one ${domain.act.noun}`;
  return brief.sum === undefined ? brief.what : `${brief.what} for ${brief.sum}`;
}

const Pile: FC<{ effect: Effect }> = ({ effect }) => {
  const { count = 1, tint = '' } = domain.effect.brief?.(effect) ?? {};
  const drawn = count <= MOST_DRAWN ? Math.max(count, 1) : 1;
  return (
    <div class="pile" aria-hidden="true">
      {Array.from({ length: drawn }, () => (
        <Thing class={tint} />
      ))}
      {count > MOST_DRAWN && <b>× {count}</b>}
    </div>
  );
};

function factsOf(view: ApprovalView): [string, Child][] {
  const { effect, approval, deputy, grade } = view;
  const brief = domain.effect.brief?.(effect);
  const what = brief ? [brief.what, brief.more, brief.sum].filter((part) => part !== undefined).join(', ') : undefined;
  const columns = Object.entries(domain.effect.columns).map(([term, read]): [string, string] => [term, read(effect)]);
  const shown = [brief?.more, brief?.tint, brief?.count?.toString(), ...columns.map(([, text]) => text)];
  // Nothing that it sent is left out: what the domain does not show word for word is shown as it came.
  const rest = Object.entries(approval.arguments).flatMap(([term, value]): [string, string][] => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const at = shown.indexOf(text);
    if (at === -1) return [[term, text]];
    // What is shown once shows one argument, and no other with the same text.
    shown.splice(at, 1);
    return [];
  });
  const limit = domain.limits[approval.limit];
  const above = limit ? reads(domain, approval.limit, approval.most) : String(approval.most);
  return [
    ['What exactly', what ?? readsAmounts(domain, effect.amounts)],
    ...[...columns, ...rest].map(([term, text]): [string, Child] => [term, <bdi>“{text}”</bdi>]),
    ['Why it asks', `You said: above ${above} in one ${domain.act.noun} it asks you first.`],
    ...(effect.state === WAITING ? [['What it would leave', leaves(view)] satisfies [string, Child]] : []),
    ...(effect.state === WAITING && deputy ? [['How you say yes', GRADE_WORDS[grade]] satisfies [string, Child]] : []),
  ];
}

/** It is counted since it was asked for: with a yes it stays so, and with a no it is free again. */
function leaves({ deputy, effect }: ApprovalView): Child {
  if (!deputy?.left) return 'Nothing: it may not do that any more.';
  return leftOfDay(deputy).length > 0 ? (
    <Leaves deputy={deputy} taken={effect.amounts} />
  ) : (
    'No limit of a day counts it.'
  );
}

const GRADE_WORDS = {
  pressed: 'By pressing Approve. A program that controls your browser could press it too.',
  confirmed: 'By signing in again, then pressing Approve. No passkey signs it.',
  device: 'With your device: a passkey signs exactly this, which no program in the browser can.',
} satisfies Record<Grade, string>;

/** `isTheirs`: the human themselves looks, and nobody in their place. */
type Answering = Pick<Props, 'view' | 'here' | 'fresh' | 'host' | 'clock'> & { name: string; isTheirs: boolean };

const Answer: FC<Answering> = ({ view, here, fresh, host, name, clock, isTheirs }) => {
  const { approval, agreed, grade, passkeys, now, deputy } = view;
  const signsIn = grade === 'confirmed' && fresh !== 'yes';
  const usable = passkeys.filter(({ rpId, usableAt }) => rpId === host && usableAt <= now);
  const noDevice = grade === 'device' && usable.length === 0;
  const hint = isTheirs ? hintOf(view, { noDevice, unheard: signsIn && fresh === 'unheard' }) : NOT_THEIRS;
  const mayApprove = hint === undefined && deputy !== undefined;
  return (
    <div class="decide">
      <p>
        {hint ?? `This one ${domain.act.noun}, and nothing else.`} The question ends{' '}
        <When at={approval.endsAt} clock={clock} moment />.{' '}
        {noDevice && isTheirs && <a href="/deputies/passkeys">Your passkeys</a>}
      </p>
      {mayApprove && grade !== 'pressed' && (
        <label class="tick small">
          <input type="checkbox" name="next" value="yes" />
          <span>
            And the next {NEXT_ALLOWED} like this, within the hour: asked by the same deputy, the same but for the
            amount, and no more each
          </span>
        </label>
      )}
      <input type="hidden" name="shown" value={agreed.one} />
      <input type="hidden" name="shownNext" value={agreed.next} />
      <input type="hidden" name="grade" value={grade} />
      <button class="key red" name="decision" value="pause">
        <Icon of="pause" />
        <span>
          Deny and pause <bdi>{name}</bdi>
        </span>
      </button>
      {isTheirs && (
        <button class="key" name="decision" value="deny">
          Deny
        </button>
      )}
      {mayApprove && signsIn && (
        <a class="key brass" href={loginPath(here, { fresh: true })}>
          <Icon of="key" /> Sign in again to approve
        </a>
      )}
      {mayApprove && grade === 'device' && <DeviceFields allow={usable} host={host} challenges={agreed} />}
      {mayApprove && !signsIn && (
        <button class="key brass" name="decision" value="approve" {...(grade === 'device' && { 'data-device': 'get' })}>
          <Icon of="key" /> {grade === 'device' ? 'Approve with your device' : 'Approve'}
        </button>
      )}
    </div>
  );
};

const NOT_THEIRS = 'Only they themselves can say yes or no to it.';

/** Why there is no yes to give; undefined when there is. */
function hintOf(
  { changed, halted, stoppedBy }: ApprovalView,
  { noDevice, unheard }: { noDevice: boolean; unheard: boolean },
): string | undefined {
  if (halted) return 'No yes is taken now: the operator has stopped this deputy.';
  if (changed) return 'What it costs or counts as has changed since. Deny it, and tell your deputy to ask anew.';
  if (stoppedBy) return `A yes would change nothing now, because ${stoppedInWords(stoppedBy)}.`;
  if (noDevice) return 'It needs a passkey, and none of yours counts here now. You can deny it, or let it lapse.';
  return unheard
    ? `${SIGN_IN} does not say that you have just signed in, and a yes needs that. Tell the operator.`
    : undefined;
}

const Outcome: FC<{ effect: Effect; granted: string }> = ({ effect, granted }) => (
  <div class="decide">
    <p role="status">
      <strong>{outcomeOf(effect, granted)}</strong>
    </p>
    <a class="key" href="/deputies">
      To your deputies
    </a>
  </div>
);

const ENDED_WORDS = {
  denied: 'It was denied, so nothing came of it.',
  lapsed: 'Nobody answered in time, so nothing came of it.',
  void: 'It was taken back, or its deputy is gone, so nothing came of it.',
};

function outcomeOf({ state, number }: Effect, granted: string): string {
  if (isEnded(state)) return ENDED_WORDS[state];
  const said = `You said yes: it is ${domain.act.noun} ${number}`;
  return state === granted ? `${said}.` : `${said}, which is ${state} by now.`;
}
