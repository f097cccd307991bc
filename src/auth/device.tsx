/** What a form needs so that a passkey can sign it, and the page that asks for one. The script is `static/device.js`. */
import type { FC } from 'hono/jsx';
import { domain } from '../domain.ts';
import { type Assertion, assertionSchema, type Passkey, userHandleOf } from '../ledger/passkeys.ts';
import { Icon } from '../pages/icons.tsx';
import { Layout, SignedInAs } from '../pages/layout.tsx';
import { formOf, hereOf, originOf } from './requests.ts';
import type { SignIn } from './sealed-session.ts';
import type { AppContext } from './session.ts';

export const DEVICE_SCRIPT = '/device.js';
/** The field that the script fills: what the passkey has signed, as JSON. */
export const ASSERTION = 'assertion';

type Allowed = Pick<Passkey, 'id' | 'transports'>;

/** `challenges` are digests of what is agreed to; the second one counts while the box `next` is ticked. */
export const DeviceFields: FC<{
  allow: readonly Allowed[];
  host: string;
  challenges: { one: string; next?: string };
}> = ({ allow, host, challenges }) => {
  // WebAuthn level 3, section 5.1.10.
  const options = {
    challenge: challenges.one,
    rpId: host,
    userVerification: 'required',
    allowCredentials: allow.map(({ id, transports }) => ({ type: 'public-key', id, transports })),
  };
  return (
    <>
      <input
        type="hidden"
        name={ASSERTION}
        data-options={JSON.stringify(options)}
        {...(challenges.next !== undefined && { 'data-next': challenges.next })}
      />
      <p data-device-says role="status"></p>
      <noscript>
        <p>A passkey can be used with script only. You can still deny.</p>
      </noscript>
    </>
  );
};

/** What a form's passkey has signed; undefined when it is none. */
export function readAssertion(text: string): Assertion | undefined {
  try {
    return assertionSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The form that was posted, once more, for a passkey to sign what it says. */
export async function devicePage(
  c: AppContext,
  { user }: Pick<SignIn, 'user'>,
  { challenge, allow }: { challenge: string; allow: readonly Passkey[] },
): Promise<Response> {
  const fields = Object.entries(await formOf(c)).flatMap(([name, value]) =>
    [value].flat().flatMap((one): [string, string][] => (typeof one === 'string' ? [[name, one]] : [])),
  );
  const { hostname: host } = new URL(originOf(c));
  const here = allow.filter(({ rpId }) => rpId === host);
  return c.html(
    <Layout
      title="Confirm it with your device"
      class="alone"
      scripts={[DEVICE_SCRIPT]}
      account={<SignedInAs user={user} leave="Sign out" returnTo="/" />}
    >
      <form class="sheet deed paper" method="post" action={hereOf(c)}>
        <h1>Confirm it with your device</h1>
        <p>
          You have set that acts like this one need a passkey.{' '}
          {here.length > 0
            ? 'It signs exactly what you have just sent.'
            : 'None of yours counts here now, and nothing was changed.'}{' '}
          <a href="/deputies/passkeys">Your passkeys</a>
        </p>
        {fields
          .filter(([name]) => name !== ASSERTION)
          .map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
        {here.length > 0 && (
          <div class="keys">
            <button class="key brass" data-device="get">
              <Icon of="key" /> Confirm
            </button>
            <DeviceFields allow={here} host={host} challenges={{ one: challenge }} />
          </div>
        )}
      </form>
    </Layout>,
  );
}

/** What a browser makes a new passkey from: WebAuthn level 3, section 5.1.8. */
export function creationOptions(
  user: { userId: string; email: string; name: string },
  { challenge, host, known }: { challenge: string; host: string; known: readonly Allowed[] },
) {
  return {
    challenge,
    rp: { id: host, name: domain.name },
    user: { id: userHandleOf(user.userId), name: user.email, displayName: user.name },
    // EdDSA, ES256 and RS256, in that order.
    pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: 'public-key', alg })),
    excludeCredentials: known.map(({ id, transports }) => ({ type: 'public-key', id, transports })),
    authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
    attestation: 'none',
  };
}
