/** The operator's stop, of everything or of one client everywhere. It is asked for each call and each token. */

/** The variables, as `config.ts` checks them. */
type Switches = { HALT?: string; BLOCKED_CLIENTS?: string };
type Halt = { blocked: boolean; message: string };

/** Why the operator lets this client do nothing now; undefined when it may go on. */
export function haltFor({ HALT, BLOCKED_CLIENTS = '' }: Switches, clientId: string): Halt | undefined {
  // An address can hold a comma itself.
  const blocked = [/[\s,]+/, /,?\s+|,$/].flatMap((between) => BLOCKED_CLIENTS.split(between));
  if (blocked.includes(clientId)) {
    const message =
      'The operator of this server has blocked this client. Only the operator can lift that. Stop, and tell your human.';
    return { blocked: true, message };
  }
  if (HALT?.trim() !== 'on') return undefined;
  const message =
    'The operator of this server has stopped all deputies of everybody. Only the operator can lift that. Stop, tell your human, and try again later.';
  return { blocked: false, message };
}
