/** Who stands behind a client: a domain that was verified, or nobody. The same words wherever a client is named. */
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
