/** What came of verifying the record, and the form to verify it with a head that was kept elsewhere. */
import type { FC } from 'hono/jsx';
import { domain } from '../domain.ts';
import type { Verification } from '../ledger/verify.ts';
import { Frame, type Looking } from './frame.tsx';

export const VerifyPage: FC<
  Looking & { result: Verification; expected: { sequence: string; hash: string }; problem?: string | undefined }
> = ({ result, expected, problem, ...looking }) => (
  <Frame {...looking} title="Verify the record">
    {result.ok ? (
      <div class="card" role="status">
        <p>
          <strong>The record holds together.</strong> {result.lines.toLocaleString('en')} lines, each with the hash of
          the one before; replayed, they give the deputies, mandates and limits that are stored, what was used of them,
          and the number, amounts and state of each {domain.act.noun}.
        </p>
        <p>
          Its head is line {result.head.sequence}, <code>{result.head.hash}</code>.
        </p>
      </div>
    ) : (
      <div class="warning" role="alert">
        <p>
          <strong>
            {result.tooOld
              ? 'The record holds together, but not back to that head.'
              : 'The record does not hold together.'}
          </strong>{' '}
          {result.sequence !== undefined && `Line ${result.sequence}: `}
          {result.problem}.
        </p>
      </div>
    )}
    <p>
      A chain proves nothing against whoever can rewrite all of it. Keep a head somewhere else, and give it here later:
    </p>
    <form method="get" action="/deputies/verify" class="card">
      <p>
        <label>
          Line <input name="sequence" inputmode="numeric" size={8} value={expected.sequence} />
        </label>{' '}
        <label>
          Hash <input name="hash" size={40} maxlength={64} value={expected.hash} />
        </label>
      </p>
      {problem && <p role="alert">{problem}</p>}
      <button>Verify with this head</button>
    </form>
    <a href="/deputies">To your deputies</a>
  </Frame>
);
