/** The publisher of a client: where its document is, or that nobody knows. The same wherever a client is named. */
import type { FC } from 'hono/jsx';
import type { Publisher as Of } from '../edge/client-document.ts';
import { Icon } from './icons.tsx';

export const Publisher: FC<{ of: Of | undefined }> = ({ of }) =>
  of === undefined ? (
    <span class="by unverified">unverified</span>
  ) : (
    <span class="by verified">
      <Icon of="seal" />
      <span class="hidden">verified: </span>
      {of.host}
      {of.path === '/' ? '' : <small class="quiet">{of.path}</small>}
    </span>
  );
