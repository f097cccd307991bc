/** What a form needs so that a passkey can sign it, and the page that asks for one. The script is `static/device.js`. */
import type { FC } from 'hono/jsx';
import { domain } from '../domain.ts';
import type { Passkey } from '../ledger/passkeys.ts';
import { Icon } from '../pages/icons.tsx';
import { Frame, type Looking, Post } from './frame.tsx';

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

/** The form that was posted, once more, for a passkey to sign what it says. */
export const DevicePage: FC<
  Looking & { here: string; fields: [name: string, value: string][]; allow: Allowed[]; host: string; challenge: string }
> = ({ here, fields, allow, host, challenge, ...looking }) => (
  <Frame {...looking} title="Confirm it with your device" class="alone" scripts={[DEVICE_SCRIPT]}>
    <div class="sheet deed paper">
      <h1>Confirm it with your device</h1>
      {allow.length > 0 ? (
        <p>You have set that what gives your deputies more needs a passkey. It signs exactly what you have just sent.</p>
      ) : (
        <p>
          You have set that what gives your deputies more needs a passkey, and none of yours counts here now. Nothing was
          changed. <a href="/deputies/passkeys">Your passkeys</a>
        </p>
      )}
      <Post action={here} token={looking.token} class="keys">
        {fields.map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        {allow.length > 0 && (
          <>
            <DeviceFields allow={allow} host={host} challenges={{ one: challenge }} />
            <button class="key brass" data-device="get">
              <Icon of="key" /> Confirm
            </button>
          </>
        )}
        <a class="key" href="/deputies">
          Leave it
        </a>
      </Post>
    </div>
  </Frame>
);

/** What a browser makes a new passkey from: WebAuthn level 3, section 5.1.8. */
export function creationOptions(
  user: { userId: string; email: string; name: string },
  { challenge, host, known }: { challenge: string; host: string; known: readonly Allowed[] },
) {
  return {
    challenge,
    rp: { id: host, name: domain.name },
    user: { id: Buffer.from(user.userId).toString('base64url'), name: user.email, displayName: user.name },
    // EdDSA, ES256 and RS256, in that order.
    pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: 'public-key', alg })),
    excludeCredentials: known.map(({ id, transports }) => ({ type: 'public-key', id, transports })),
    authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
    attestation: 'none',
  };
}
