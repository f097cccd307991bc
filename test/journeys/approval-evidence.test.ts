/** The downloaded record proves a yes by itself: with WebCrypto and no code of this server's ledger. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { addPasskey, approve } from '../support/answering.ts';
import { deputyOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';

type Line = Record<string, unknown> & { sequence: number };

/** As docs/approval.md says: members in order, nothing in between. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

const bytes = (text: unknown) => new Uint8Array(Buffer.from(String(text), 'base64url'));
const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest();

/** The 32 bytes after a label in a COSE key of P-256, and a signature as WebCrypto takes it. */
async function verified(publicKey: Uint8Array, signature: Uint8Array, data: Uint8Array): Promise<boolean> {
  const after = (label: number) => {
    const at = publicKey.findIndex(
      (byte, index) => byte === label && publicKey[index + 1] === 0x58 && publicKey[index + 2] === 32,
    );
    return publicKey.slice(at + 3, at + 35);
  };
  const point = Uint8Array.from([4, ...after(0x21), ...after(0x22)]);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await crypto.subtle.importKey('raw', point, algorithm, false, ['verify']);
  const number = (start: number) => signature.slice(start + 2, start + 2 + (signature[start + 1] ?? 0));
  const r = number(2);
  const s = number(4 + r.length);
  const fixed = (part: Uint8Array) => [...Array.from({ length: 32 }, () => 0), ...part].slice(-32);
  const raw = Uint8Array.from([...fixed(r), ...fixed(s)]);
  return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, raw, Uint8Array.from(data));
}

test('who has the download can check that a passkey signed exactly that order', async () => {
  const human = person();
  const device = await addPasskey(human);
  const deputy = await deputyOf(human, '2026-07-28');
  const { data } = await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 4 });
  const { id } = (data['error'] as { waiting: { id: string } }).waiting;
  await approve(human, id, { device });

  const file = (await human.browser.open('/deputies/record.jsonl')).html.trimEnd().split('\n');
  const lines = file.map((line) => JSON.parse(line) as Line);
  const asked = lines.find(({ decision }) => decision === 'asked');
  const added = lines.find(({ act }) => act === 'passkeyAdded');
  const approved = lines.find(({ act }) => act === 'approved');
  if (!asked || !added || !approved) throw new Error('a line is missing');
  const { effect, tool, arguments: sealed, until } = asked as { effect: { id: string; amounts: unknown } } & Line;
  const agreed = {
    human: userIdOf(human.email),
    deputy: approved['deputy'],
    effect: effect.id,
    tool,
    arguments: sealed,
    amounts: effect.amounts,
    mandate: approved['mandateVersion'],
    until,
  };
  const proof = approved['proof'] as Record<'passkey' | 'clientDataJSON' | 'authenticatorData' | 'signature', string>;
  expect(proof.passkey).toBe(added['passkey']);
  const said = JSON.parse(Buffer.from(proof.clientDataJSON, 'base64url').toString()) as { challenge: string };
  expect(said.challenge).toBe(sha256(canonical(agreed)).toString('base64url'));
  const signed = Uint8Array.from([...bytes(proof.authenticatorData), ...sha256(bytes(proof.clientDataJSON))]);
  expect(await verified(bytes(added['publicKey']), bytes(proof.signature), signed)).toBe(true);
  // Of another amount the challenge would be another one.
  const other = { ...agreed, amounts: { shirts: 5, spend: 12_500 } };
  expect(said.challenge).not.toBe(sha256(canonical(other)).toString('base64url'));
});
