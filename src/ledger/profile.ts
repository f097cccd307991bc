/** What a human keeps here for deputies to read, such as where orders go. No line of the record holds it. */
import { z } from 'zod';

/** `version` is the line that set it; 0 for one that was never set. */
const profileSchema = z.object({ fields: z.record(z.string(), z.string()).readonly(), version: z.int() });
export type Profile = z.infer<typeof profileSchema>;

const KEY = 'profile';

export class ProfileSheet {
  readonly #kv: SyncKvStorage;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  read(): Profile {
    return profileSchema.parse(this.#kv.get(KEY) ?? { fields: {}, version: 0 });
  }

  write(profile: Profile): void {
    this.#kv.put(KEY, profile);
  }

  clear(): void {
    this.#kv.delete(KEY);
  }
}
