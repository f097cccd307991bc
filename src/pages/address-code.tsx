/** The address as a picture that phones in an audience read; nothing for one that this computer alone reaches. */
import { raw } from 'hono/html';
import type { FC } from 'hono/jsx';
import { renderSVG } from 'uqr';
import { isLoopback } from '../edge/origin.ts';

export const AddressCode: FC<{ origin: string }> = ({ origin }) => {
  const { hostname, host } = new URL(origin);
  if (isLoopback(hostname)) return null;
  return (
    <figure class="code">
      {raw(renderSVG(origin, { border: 4 }).replace('<svg ', '<svg role="img" aria-label="QR code of this address" '))}
      <figcaption class="small quiet">{host}</figcaption>
    </figure>
  );
};
