/** The operator's stop, of everything or of one client everywhere. It is asked for each call and each token. */
import { readConfig } from '../config.ts';

export type Halt = { blocked: boolean; message: string };

/** Why the operator lets this client do nothing now; undefined when it may go on. */
export function haltFor(env: object, clientId: string): Halt | undefined {
  const { HALT, BLOCKED_CLIENTS } = readConfig(env);
  if (BLOCKED_CLIENTS.includes(clientId)) {
    const message =
      'The operator of this server has blocked this client. Only the operator can lift that. Stop, and tell your human.';
    return { blocked: true, message };
  }
  if (HALT === 'off') return undefined;
  const message =
    'The operator of this server has stopped all deputies of everybody. Only the operator can lift that. Stop, tell your human, and try again later.';
  return { blocked: false, message };
}
