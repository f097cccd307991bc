/** Copies of the record in WorkOS Audit Logs. */
import type { CreateAuditLogSchemaOptions } from '@workos-inc/node';
import type { Config } from '../config.ts';
import { domain } from '../domain.ts';
import { ACT_NAMES, type Line } from '../ledger/record.ts';
import type { SendLine } from '../ledger/upkeep.ts';
import { isRefusal, soon, workos } from './authkit.ts';

/** Characters of a value that WorkOS Audit Logs take. */
const MAX_VALUE_LENGTH = 500;

/**
 * Sends acts and metered calls of this human to the organization that is configured; undefined when none is. `share` says
 * whether one more request fits into what WorkOS takes a minute, which sign-in needs as well.
 */
export function exporterOf(config: Config, userId: string, share: () => Promise<boolean>): SendLine | undefined {
  const organization = config.WORKOS_AUDIT_LOGS_ORGANIZATION;
  if (organization === undefined) return undefined;
  const { auditLogs } = workos(config, config.WORKOS_AUDIT_LOGS_API_KEY);
  return async (line, key) => {
    // Reads stay in the record.
    if (line.actor === 'deputy' && !isMetered(line.tool) && !line.effect) return true;
    if (!(await share())) throw new Error('this minute has had its share of audit events');
    try {
      // Within 24 hours the key makes a repetition harmless.
      await soon(auditLogs.createEvent(organization, eventOf(line, userId), { idempotencyKey: key }));
      return true;
    } catch (error) {
      // What WorkOS refuses it refuses each time.
      if (isRefusal(error)) return false;
      throw error;
    }
  };
}

function isMetered(name: string): boolean {
  return domain.tools.some((tool) => tool.name === name && tool.metered);
}

const CALLED = 'deputy.called';
const actionOf = (act: string) => `deputization.${act}`;

/** A schema for each action that `eventOf` sends: WorkOS takes no event without one. Values are the names of types. */
export function auditSchemas(): CreateAuditLogSchemaOptions[] {
  return [CALLED, ...ACT_NAMES.map(actionOf)].map((action) => ({
    action,
    actor: { metadata: { through: 'string' } },
    targets: ['deputy', 'account', ...(action === CALLED ? ['tool', domain.act.noun] : [])].map((type) => ({ type })),
    metadata: {
      sequence: 'number',
      previous: 'string',
      ...(action === CALLED ? { decision: 'string', client: 'string', code: 'string' } : { impersonation: 'string' }),
    },
  }));
}

function eventOf(line: Line, userId: string) {
  const { sequence, at, previous, actor } = line;
  const called = line.actor === 'deputy' ? line : undefined;
  const targets = [
    ...('deputy' in line && line.deputy !== undefined ? [{ type: 'deputy', id: line.deputy }] : []),
    ...(called ? [{ type: 'tool', id: called.tool }] : []),
    ...(called?.effect ? [{ type: domain.act.noun, id: called.effect.id }] : []),
  ];
  return {
    action: line.actor === 'deputy' ? CALLED : actionOf(line.act),
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
