/** The T-shirt shop: what deputies can do here, what of it is counted, how far, and how that reads. */
import { defineDomain } from '../tools/define-domain.ts';
import { CURRENCY, dollars, formatPrice, MAX_QUANTITY, SHIRT, shirts } from './catalog.ts';
import { look } from './look.ts';
import { COMPANY, deliverOrder, MAILING_ADDRESS, orderData } from './order.ts';
import { buyMcpShopItem, cancelMcpShopOrder, listMcpShopInventory, listMcpShopOrders } from './tools.ts';

export const shop = defineDomain({
  name: 'MCP Shop',
  serverInfo: { name: 'MCP Shop on Cloudflare', version: '1.0.0' },
  about: 'This is a T-shirt shop that AI agents shop at.',
  instructions:
    'A T-shirt shop. List the inventory, ask your human for company, address and size, buy, then tell them the order id. When they say "my address", getUserProfile may have it.',
  adminPermission: 'shop:admin',
  look,
  mandateType: 'mcp_shop_mandate',
  act: {
    noun: 'order',
    nouns: 'orders',
    verb: 'buy',
    did: 'bought',
    less: 'Order less',
    look: 'listMcpShopOrders',
  },
  powers: {
    'shop:browse': {
      reads: 'look around the shop',
      title: 'Look around the shop',
      detail: 'Every deputy may do this.',
    },
    'shop:buy': {
      reads: 'buy shirts and cancel orders',
      title: 'Buy shirts, and cancel orders',
      detail: `In your name, at ${formatPrice(SHIRT.price).replace('.00', '')} each. You pay.`,
      metered: true,
    },
    'orders:read': {
      reads: 'read the order history',
      title: 'Read your orders',
      detail: 'With companies, addresses and prices.',
    },
    'profile:read': {
      reads: 'read the profile',
      title: 'Read your profile',
      detail: 'The company and address that you keep on a page of yours, for "ship to my address".',
    },
  },
  units: { shirts, spend: dollars },
  // The constraints have the names of the Agent Payments Protocol (AP2) where it has one.
  limits: {
    callsPerMinute: { of: 'calls', per: 'minute', start: 60, max: 60 },
    shirtsPerOrder: {
      of: 'shirts',
      per: 'act',
      start: 5,
      max: MAX_QUANTITY,
      label: 'Shirts in one order',
      constraint: (max) => ({ type: 'shop.quantity_range', max }),
    },
    askAbove: {
      of: 'shirts',
      per: 'act',
      start: 3,
      min: 0,
      max: MAX_QUANTITY,
      asks: true,
      label: 'Shirts in one order above which it must ask',
      constraint: (quantity) => ({ type: 'shop.approval_above', quantity }),
    },
    purchasesPerMinute: {
      of: 'acts',
      per: 'minute',
      start: 10,
      max: 10,
      constraint: (max) => ({ type: 'payment.agent_recurrence', frequency: 'MINUTELY', max_occurrences: max }),
    },
    shirtsPerDay: {
      of: 'shirts',
      per: 'day',
      start: 10,
      max: 1000,
      ceiling: 20,
      label: 'Shirts in 24 hours',
      constraint: (max) => ({ type: 'shop.quantity_budget', max, frequency: 'DAILY' }),
    },
    spendPerDay: {
      of: 'spend',
      per: 'day',
      start: 25_000,
      // Less buys nothing.
      min: SHIRT.price,
      max: 2_500_000,
      ceiling: 50_000,
      label: 'US dollars in 24 hours',
      constraint: (max) => ({ type: 'payment.budget', currency: CURRENCY, max, frequency: 'DAILY' }),
    },
  },
  sentence:
    'It may buy up to {shirtsPerOrder} an order, and up to {shirtsPerDay} for {spendPerDay} in any 24 hours. Above {askAbove} in one order it must ask first.',
  ceiling: 'All deputies together may order up to {shirtsPerDay} for {spendPerDay} in any 24 hours.',
  profile: {
    power: 'profile:read',
    title: 'Where your orders go',
    holds: 'company and mailing address for orders',
    fields: {
      company: { label: 'Company', rows: 1, of: COMPANY },
      mailingAddress: { label: 'Mailing address', rows: 4, of: MAILING_ADDRESS },
    },
  },
  price: { of: 'shirts', in: 'spend', each: SHIRT.price },
  effect: {
    data: orderData,
    tells: ({ number, state, amounts: { shirts: count = 0, spend = 0 } = {} }) =>
      state === 'cancelled'
        ? `cancelled order ${number}`
        : `bought ${shirts.reads(count)} for ${formatPrice(spend)}, order ${number}`,
    brief: ({ amounts: { shirts: count = 0, spend = 0 }, data: { color, tshirtSize } }) => ({
      what: `${count} ${color} ${count === 1 ? 'shirt' : 'shirts'}`,
      more: tshirtSize,
      sum: formatPrice(spend),
      count,
      tint: color,
    }),
    columns: {
      For: ({ data }) => data.company,
      'Sent to': ({ data }) => data.mailingAddress,
    },
    deliver: deliverOrder,
  },
  tools: [listMcpShopInventory, buyMcpShopItem, listMcpShopOrders, cancelMcpShopOrder],
});
