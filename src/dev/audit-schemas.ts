/** `pnpm audit-schemas`: creates the schemas of our audit events at WorkOS. Without WORKOS_API_KEY it shows what it would create. */
import { existsSync } from 'node:fs';
import { WorkOS } from '@workos-inc/node';
import { auditSchemas } from '../auth/audit-export.ts';

// As wrangler does: with the first there, the second is not read.
const file = ['.dev.vars', '.env'].find((name) => existsSync(name));
if (file !== undefined) process.loadEnvFile(file);
const { WORKOS_AUDIT_LOGS_API_KEY, WORKOS_API_KEY } = process.env;
const key = WORKOS_AUDIT_LOGS_API_KEY || WORKOS_API_KEY;

if (!key) {
  console.log(
    'WORKOS_API_KEY is not set, neither in the environment nor in .dev.vars or .env. With it, this would create at WorkOS:\n',
  );
  for (const schema of auditSchemas()) console.log(JSON.stringify(schema));
} else {
  const { auditLogs } = new WorkOS(key);
  for (const schema of auditSchemas()) {
    const { version } = await auditLogs.createSchema(schema);
    console.log(`${schema.action}: version ${version}`);
  }
}
