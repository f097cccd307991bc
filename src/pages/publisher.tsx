/** The publisher of a client: where its document is, or the badge that says there is none. The same wherever a client is named. */
import type { FC } from 'hono/jsx';
import type { Publisher as Of } from '../edge/client-document.ts';

export const Publisher: FC<{ of: Of | undefined }> = ({ of }) =>
  of === undefined ? (
    <>
      <span class="badge unverified">unverified</span> nobody we could verify
    </>
  ) : (
    <>
      <span class="badge verified">verified</span> <strong>{of.host}</strong>
      {of.path}
    </>
  );
