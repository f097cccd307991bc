/** Every tool of the server, in the order clients list them. A new tool is one line here. */
import { getMyMandate, getUserInfo } from './account.ts';
import type { AnyTool } from './define-tool.ts';
import { clearDemoMode, prettyPlease, setDemoMode } from './demo.ts';
import { buyMcpShopItem, cancelMcpShopOrder, listMcpShopInventory, listMcpShopOrders } from './shop.ts';

export const TOOLS: readonly AnyTool[] = [
  listMcpShopInventory,
  buyMcpShopItem,
  listMcpShopOrders,
  cancelMcpShopOrder,
  getMyMandate,
  getUserInfo,
  setDemoMode,
  clearDemoMode,
  prettyPlease,
];
