/** Which domain this server serves. To serve another one, import that instead. Besides, only `demo/` names the shop. */
import { shop } from './shop/index.ts';

export const domain = shop;
