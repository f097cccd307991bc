/** What `pnpm prove fuzz --without-guards` takes out of the bundle, one at a time, to see that the run then reports a fault. */
import type { Change } from '../bench/bundle.ts';

export const BREAKS: readonly { name: string; changes: readonly Change[] }[] = [
  {
    name: 'the limit of a body of /mcp',
    changes: [['MAX_BODY_BYTES = 64 * 1024', 'MAX_BODY_BYTES = 64 * 1024 * 1024']],
  },
  { name: 'the escaping of text in pages', changes: [['= str.search(escapeRe);', '= -1;']] },
  {
    name: 'names that are too long for a key',
    changes: [['const kv = forAnyKey(env.OAUTH_KV);', 'const kv = env.OAUTH_KV;']],
  },
  { name: 'a Host that is none', changes: [['if (!URL.canParse(request.url)) return', 'if (false) return']] },
  { name: 'the header against frames', changes: [['xFrameOptions: "DENY"', 'xFrameOptions: false']] },
  {
    name: 'return_to leads to this site alone',
    changes: [['if (path === void 0 || !URL.canParse(path, base)) return "/";', 'return path ?? "/";']],
  },
  {
    name: 'no tool changes the limits of the account',
    changes: [
      [
        'ban: ledger.demo,',
        'ban: { read: () => ledger.demo.read(), clear: () => ledger.demo.clear(), write: (mode) => { ledger.demo.write(mode); ledger.account.setCeiling({ shirtsPerDay: 1000, spendPerDay: 2500000 }); } },',
      ],
    ],
  },
  { name: 'a stack of an error stays inside', changes: [['"There is nothing here"', 'new Error("x").stack']] },
];
