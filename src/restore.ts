/** The operator's way to put one human's record back: `RESTORE`, which a cron reads, while `HALT` is on. */
import { readConfig } from './config.ts';
import { objectName } from './deputy.ts';
import { log, logError } from './log.ts';

/** Does what `RESTORE` asks for, once. While it goes on no deputy may call, so it waits for `HALT`. Does not throw. */
export async function restoreAsked(env: Env): Promise<void> {
  const { RESTORE, HALT } = readConfig(env);
  if (RESTORE === undefined) return;
  const [user = '', time = ''] = RESTORE.split(' ');
  // A new stub each time: the object ends on the way.
  const object = () => env.MCP_OBJECT.getByName(objectName(user));
  try {
    if (await object().wasRestored(RESTORE)) return;
    if (HALT !== 'on') throw new Error('set HALT to "on" first, so that no deputy calls meanwhile');
    await object().prepareRestore(Date.parse(time));
    await object()
      .end()
      .catch(() => {});
    const { sequence } = await object().finishRestore(RESTORE, Date.parse(time));
    log({ event: 'record_restored', user, sequence });
  } catch (error) {
    logError('restore_failed', error);
  }
}
