/** The publisher of a client: a verified domain, or the badge that says there is none. The same wherever a client is named. */
import type { FC } from 'hono/jsx';

export const Publisher: FC<{ domain: string | undefined }> = ({ domain }) =>
  domain === undefined ? (
    <>
      <span class="badge unverified">unverified</span> nobody we could verify
    </>
  ) : (
    <>
      <span class="badge verified">verified</span> <strong>{domain}</strong>
    </>
  );
