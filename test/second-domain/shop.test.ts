/** The stories of every domain, in the shop. */
import { stories } from './stories.ts';

stories({
  name: 'MCP Shop',
  meteredPower: 'shop:buy',
  reads: 'listMcpShopInventory',
  act: {
    tool: 'buyMcpShopItem',
    args: { company: 'Analytical Engines Ltd', mailingAddress: '12 St James’s Square', tshirtSize: 'L' },
  },
  other: { company: 'Difference Engines Ltd', mailingAddress: '12 St James’s Square', tshirtSize: 'L' },
  over: [
    {
      limit: 'shirtsPerOrder',
      blanks: { shirtsPerOrder: '2', askAbove: '' },
      args: { quantity: 3 },
      code: 'act_limit',
    },
    { limit: 'spendPerDay', blanks: { spendPerDay: '49.99' }, args: { quantity: 2 }, code: 'daily_limit' },
  ],
  asking: {
    blanks: { askAbove: '1' },
    args: { quantity: 2 },
    pageSays: /2 black shirts for \$50\.00\?.*12 St James’s Square/,
  },
  day: { blanks: { shirtsPerOrder: '4', shirtsPerDay: '4' }, allows: 4 },
  ceiling: { shirtsPerDay: 4, spendPerDay: 50_000 },
  mistyped: { blanks: { spendPerDay: 'much' }, problem: /Enter an amount in US dollars/ },
  consentSays: /Shirts in one order/,
  listSays: /1 black shirt, L.*For Analytical Engines Ltd/,
  recordSays: /bought 1 black shirt, L order 1 \$25/,
});
