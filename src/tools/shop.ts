/** The shop's own tools: browse, buy, cancel, list. */
import { z } from 'zod';
import { Refusal } from '../authority/refusal.ts';
import { COLORS, DEFAULT_COLOR, formatPrice, MAX_QUANTITY, SHIRT, SIZES } from '../shop/catalog.ts';
import { type Order, type OrderBook, orderSchema, UnknownCursorError } from '../shop/orders.ts';
import { defineTool } from './define-tool.ts';
import { line, oneOf, paragraph, strict, wholeNumber } from './fields.ts';

const SOLD_OUT_FOR_YOU = 'ABSOLUTELY NOT. GO AWAY 👋';
const MAX_PAGE = 100;

export const listMcpShopInventory = defineTool({
  name: 'listMcpShopInventory',
  title: 'List the inventory',
  description:
    'Lists what the MCP Shop sells, with sizes, colors and prices. Call it before buying, so that you offer your human real choices. Next: buyMcpShopItem.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  scope: 'shop:browse',
  whenBanned: 'You again? The shelves are empty as far as you are concerned. Say prettyPlease to be let back in.',
  input: strict({}),
  output: z.object({
    title: z.string(),
    products: z.array(
      z.object({
        label: z.string(),
        description: z.string(),
        sizes: z.array(z.enum(SIZES)),
        colors: z.array(z.enum(COLORS)),
        price: z.int().describe('Whole US cents for one.'),
      }),
    ),
  }),
  run: () => ({
    text: `${SHIRT.label}, ${formatPrice(SHIRT.price)}: ${SHIRT.description} Sizes ${SIZES.join(', ')}; colors ${COLORS.join(', ')}. To order, call buyMcpShopItem with a company, a mailing address and a size.`,
    data: { title: 'MCP Shop inventory', products: [SHIRT] },
  }),
});

const bought = z.object({ status: z.literal('success'), message: z.string(), order: orderSchema });

export const buyMcpShopItem = defineTool({
  name: 'buyMcpShopItem',
  title: 'Buy T-shirts',
  description:
    'Orders T-shirts for your human, who pays. Call it once they have told you company, address and size. Send an idempotencyKey of your own, so that repeating the call cannot buy twice. Next: tell them the order id and the total; getMyMandate says what you may still spend.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  scope: 'shop:buy',
  whenBanned: SOLD_OUT_FOR_YOU,
  input: strict({
    company: line('The company the shirts are for, e.g. "Analytical Engines Ltd".', 100),
    mailingAddress: paragraph('Where to send them, e.g. "12 St James\'s Square, London SW1Y 4JH, UK".', 500),
    tshirtSize: oneOf(SIZES, 'Shirt size.'),
    color: oneOf(COLORS, `Shirt color; ${DEFAULT_COLOR} when left out.`).default(DEFAULT_COLOR),
    quantity: wholeNumber('How many; 1 when left out.', 1, MAX_QUANTITY).default(1),
    idempotencyKey: line(
      'A name of your own for this one purchase, e.g. a UUID: for 24 hours a repetition with it returns the same order instead of buying again.',
      100,
    ).optional(),
  }),
  output: bought,
  purchase: {
    cost: ({ quantity }) => ({ quantity, total: quantity * SHIRT.price }),
    idempotency: ({ idempotencyKey: key, ...rest }) => ({ key, arguments: rest }),
    repeat(orderId, { ledger }) {
      const order = existing(ledger.orders, orderId);
      const message = `This purchase was made before, so nothing was bought again: ${describe(order)}, order ${order.id}, ${order.status}.`;
      return {
        text: `${message} For another one, call again with a new idempotencyKey.`,
        data: { status: 'success' as const, message, order },
        order,
      };
    },
  },
  run(input, { caller, ledger, turn }) {
    const order = ledger.orders.place(caller, input, turn);
    const message = `Ordered ${describe(order)} for ${order.company}: ${formatPrice(order.total)}, order ${order.id}.`;
    return {
      text: `${message} Tell your human; listMcpShopOrders shows all their orders.`,
      data: { status: 'success' as const, message, order },
      order,
    };
  },
});

export const cancelMcpShopOrder = defineTool({
  name: 'cancelMcpShopOrder',
  title: 'Cancel an order',
  description:
    'Cancels an order of your human, whichever deputy placed it. Call it only when they ask for it. What was ordered still counts against the limits of the day. Next: tell them that it is cancelled.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  scope: 'shop:buy',
  whenBanned: SOLD_OUT_FOR_YOU,
  input: strict({ orderId: line('The id of the order, from buyMcpShopItem or listMcpShopOrders.', 100) }),
  output: bought,
  run({ orderId }, { ledger }) {
    const before = existing(ledger.orders, orderId);
    const order = ledger.orders.cancel(orderId) ?? before;
    const done = before.status === 'cancelled' ? 'was cancelled before' : 'is cancelled';
    const message = `Order ${order.id} ${done}: ${describe(order)}, ${formatPrice(order.total)}.`;
    return {
      text: `${message} Tell your human. It still counts against the limits of the day.`,
      data: { status: 'success' as const, message, order },
      order: before.status === 'cancelled' ? undefined : order,
    };
  },
});

function describe({ quantity, color, tshirtSize }: Order): string {
  return `${quantity} ${color} ${quantity === 1 ? 'shirt' : 'shirts'} in ${tshirtSize}`;
}

/** Each human's orders are in an object of their own, so an id of somebody else is simply not there. */
function existing(orders: OrderBook, orderId: string): Order {
  const order = orders.find(orderId);
  if (order) return order;
  throw new Refusal({
    code: 'unknown_order',
    message: 'orderId: your human has no order of that id. Take one from listMcpShopOrders.',
    rule: "Only the human's own orders can be looked up and changed.",
    whoCanLift: 'deputy',
  });
}

export const listMcpShopOrders = defineTool({
  name: 'listMcpShopOrders',
  title: 'List the orders',
  description:
    "Lists your human's orders, newest first, whichever deputy placed them. Call it to check what was bought, or before buying again. Next: pass nextCursor as cursor for older orders.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  scope: 'orders:read',
  input: strict({
    limit: wholeNumber('How many orders at most; 50 when left out.', 1, MAX_PAGE).default(50),
    cursor: line('The nextCursor of the page before, for older orders; leave it out for the newest.', 100).optional(),
  }),
  output: z.object({
    title: z.string(),
    status: z.literal('success'),
    orders: z.array(orderSchema),
    nextCursor: z.string().optional().describe('Pass it as cursor for the next page; absent on the last one.'),
  }),
  run(input, { ledger }) {
    const page = pageOf(() => ledger.orders.list(input));
    const lines = page.orders.map(
      (order) =>
        `- ${order.orderDate} ${order.quantity} × ${order.tshirtSize} ${order.color}, ${formatPrice(order.total)}, ${order.company}, ${order.status}, ${order.id}`,
    );
    const next = page.nextCursor
      ? `There are older orders: call again with cursor "${page.nextCursor}".`
      : 'That is all. To order, call buyMcpShopItem.';
    const text = lines.length > 0 ? `${lines.join('\n')}\n${next}` : 'No orders yet. To order, call buyMcpShopItem.';
    return { text, data: { title: 'MCP Shop orders', status: 'success' as const, ...page } };
  },
});

function pageOf<Page>(read: () => Page): Page {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UnknownCursorError)) throw error;
    throw new Refusal({
      code: 'unknown_cursor',
      message: 'cursor: this is not a nextCursor of this order list. Leave cursor out to start at the newest order.',
      rule: 'A cursor comes from an earlier page of the same list.',
      whoCanLift: 'deputy',
    });
  }
}
