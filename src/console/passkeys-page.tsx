/** The human's passkeys: which there are, a new one, one that is gone, and what they are asked for. */
import type { FC } from 'hono/jsx';
import type { PasskeysView } from '../ledger/approval-view.ts';
import { PASSKEY_WAITS_MS } from '../lifetimes.ts';
import { Icon } from '../pages/icons.tsx';
import { When } from '../pages/when.tsx';
import { creationOptions, DEVICE_SCRIPT } from '../auth/device.tsx';
import { Frame, type Looking, Post, type Said } from './frame.tsx';

const PATH = '/deputies/passkeys';

export const PasskeysPage: FC<Looking & { view: PasskeysView; host: string; said?: Said }> = ({
  view,
  host,
  said,
  ...looking
}) => {
  const { passkeys, now, guarded, passkeysUntil, offer } = view;
  const options = creationOptions(looking.user, { challenge: offer.challenge, host, known: passkeys });
  const waits = passkeys.length > 0 || now < passkeysUntil + PASSKEY_WAITS_MS;
  return (
    <Frame {...looking} title="Your passkeys" class="alone" scripts={[DEVICE_SCRIPT]} said={said}>
      <div class="sheet deed paper">
        <h1>Your passkeys</h1>
        <p>
          A passkey is in your phone, laptop or security key. With it you say yes to one exact order, by a finger, a
          face or a PIN: no client, and no program in the browser, can do that.
        </p>
        {passkeys.length === 0 && <p>You have none. Your yes is a sign-in then, and a press of a button.</p>}
        {passkeys.length > 0 && (
          <dl class="pairs">
            {passkeys.map(({ id, addedAt, usableAt, rpId }) => (
              <div>
                <dt>
                  <code>{id.slice(0, 10)}…</code>
                </dt>
                <dd>
                  Added <When at={addedAt} clock={looking.clock} moment />
                  {usableAt > now ? (
                    <>
                      , counts from <When at={usableAt} clock={looking.clock} moment /> on
                    </>
                  ) : (
                    ', counts'
                  )}
                  {rpId !== host && `, at ${rpId} only`}
                  <Post action={`${PATH}/remove`} token={looking.token} class="keys">
                    <input type="hidden" name="passkey" value={id} />
                    <button class="key red mini">Remove it</button>
                  </Post>
                </dd>
              </div>
            ))}
          </dl>
        )}
        <p class="quiet">
          Lost one? Remove it here and add another. It counts after a day, and until then what needs a passkey can only
          be denied. That day is what keeps a program in your browser from adding one of its own.
        </p>
        {isName(host) ? (
          <Post action={PATH} token={looking.token} class="keys">
            <input type="hidden" name="until" value={String(offer.until)} />
            <input type="hidden" name="attestation" data-options={JSON.stringify(options)} />
            <button class="key brass" data-device="create">
              <Icon of="key" /> Add a passkey
            </button>
            <p class="quiet small">
              {waits ? 'It counts after a day.' : 'It counts at once, unless something waits for your yes.'}
            </p>
            <p data-device-says role="status"></p>
          </Post>
        ) : (
          <p>Passkeys belong to a name, and this page is at {host}. Open it at localhost to add one.</p>
        )}
        {(passkeys.some(({ usableAt }) => usableAt <= now) || guarded) && (
          <Post action={`${PATH}/guard`} token={looking.token} class="keys">
            <p>
              {guarded
                ? 'To resume, to raise the limits of your account, to widen a mandate, to appoint a deputy and to change your profile you need a passkey too.'
                : 'Whoever controls your browser could raise a limit instead of asking. You can have a passkey asked for that too: to resume, to raise the limits of your account, to widen a mandate, to appoint a deputy and to change your profile.'}
            </p>
            <input type="hidden" name="device" value={guarded ? 'no' : 'yes'} />
            <button class="key">{guarded ? 'Ask for it no more' : 'Ask for it there too'}</button>
          </Post>
        )}
      </div>
    </Frame>
  );
};

/** WebAuthn knows no addresses of numbers. */
function isName(host: string): boolean {
  return !/^[\d.]+$|^\[/.test(host);
}
