/** Copies of the record in WorkOS Audit Logs. */
import { BadRequestException, UnprocessableEntityException } from '@workos-inc/node';
import type { Config } from '../config.ts';
import { domain } from '../domain.ts';
import type { Line } from '../ledger/record.ts';
import type { SendLine } from '../ledger/upkeep.ts';
import { soon, workos } from './authkit.ts';

/** Characters of a value that WorkOS Audit Logs take. */
const MAX_VALUE_LENGTH = 500;

/** Sends lines of this human's record to the organization that is configured; undefined when none is. */
export function exporterOf(config: Config, userId: string): SendLine | undefined {
  const organization = config.WORKOS_AUDIT_LOGS_ORGANIZATION;
  if (organization === undefined) return undefined;
  return async (line, key) => {
    try {
      // Within 24 hours the key makes a repetition harmless.
      const call = workos(config).auditLogs.createEvent(organization, eventOf(line, userId), { idempotencyKey: key });
      await soon(call);
      return true;
    } catch (error) {
      if (error instanceof BadRequestException || error instanceof UnprocessableEntityException) return false;
      throw error;
    }
  };
}

function eventOf(line: Line, userId: string) {
  const { sequence, at, previous, actor } = line;
  const called = line.actor === 'deputy' ? line : undefined;
  const targets = [
    ...('deputy' in line ? [{ type: 'deputy', id: line.deputy }] : []),
    ...(called ? [{ type: 'tool', id: called.tool }] : []),
    ...(called?.effect ? [{ type: domain.act.noun, id: called.effect.id }] : []),
  ];
  return {
    action: line.actor === 'deputy' ? 'deputy.called' : `deputization.${line.act}`,
    occurredAt: new Date(at),
    // Whatever a deputy does, it does for this user.
    actor: { type: 'user', id: userId, metadata: { through: actor === 'deputy' ? line.deputy : actor } },
    targets: targets.length > 0 ? targets : [{ type: 'account', id: userId }],
    // Addresses of people are not recorded.
    context: { location: 'not recorded' },
    metadata: {
      sequence,
      previous,
      ...('impersonation' in line && line.impersonation !== undefined && { impersonation: line.impersonation }),
      ...(called && { decision: called.decision, client: called.client.slice(0, MAX_VALUE_LENGTH) }),
      ...(called?.code && { code: called.code }),
    },
  };
}
