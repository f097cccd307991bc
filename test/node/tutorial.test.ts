/** The tutorial, followed to the letter in a copy of the project: its files are written, its commands run, and it ends green. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { ENVIRONMENT } from '../../src/dev/dev-server.ts';

const ROOT = join(import.meta.dirname, '../..');
const LEFT_OUT = /^(node_modules|\.git|\.wrangler|dist|\.env.*|\.dev\.vars(?!\.example).*)$/;
/** The part that is followed: what a person runs and looks at stands before it, and what else can be done after it. */
const [, FOLLOWED = ''] =
  /(## 2\. .*?)## Add a tool/s.exec(readFileSync(join(ROOT, 'docs/extending.md'), 'utf8')) ?? [];

type Step = { file: string; text: string } | { command: string };

/** The steps of the page in their order: files by the name in front of them, and the lines of shell blocks. */
function* stepsIn(page: string): Generator<Step> {
  for (const [, file, language, text = ''] of page.matchAll(/(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n(.*?)^```$/gms)) {
    if (language === 'ts' && file !== undefined) yield { file, text };
    if (language === 'sh') for (const command of text.trim().split('\n')) yield { command };
  }
}

/** `npx -y pnpm <script>` as that script's own commands, so that the copy needs no package manager. */
function commandsOf(command: string, scripts: Record<string, string>): string[] {
  const [, name = '', rest = ''] = /^(?:npx -y )?pnpm (\S+)(.*)$/.exec(command) ?? [];
  if (name === 'exec') return [rest];
  const script = scripts[name];
  if (script === undefined) return [command];
  return `${script}${rest}`.split(' && ').flatMap((part) => commandsOf(part, scripts));
}

test(
  'another domain in the place of the shop, from the tutorial alone, passes the whole gate',
  { timeout: 600_000 },
  () => {
    const copy = mkdtempSync(join(tmpdir(), 'mcp-shop-tutorial-'));
    onTestFinished(() => rmSync(copy, { recursive: true, force: true, maxRetries: 5 }));
    cpSync(ROOT, copy, {
      recursive: true,
      filter: (path) =>
        !path
          .slice(ROOT.length + 1)
          .split('/')
          .some((part) => LEFT_OUT.test(part)),
    });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));

    let ran = 0;
    for (const step of stepsIn(FOLLOWED)) {
      if ('file' in step) {
        mkdirSync(dirname(join(copy, step.file)), { recursive: true });
        writeFileSync(join(copy, step.file), step.text);
        continue;
      }
      const { scripts } = z
        .object({ scripts: z.record(z.string(), z.string()) })
        .parse(JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8')));
      for (const command of commandsOf(step.command, scripts)) {
        try {
          execFileSync('sh', ['-c', command], { cwd: copy, env: ENVIRONMENT, encoding: 'utf8', stdio: 'pipe' });
        } catch (error) {
          const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
          throw new Error(`${command}\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`, { cause: error });
        }
        ran += 1;
      }
    }
    expect(ran).toBeGreaterThan(10);
  },
);
