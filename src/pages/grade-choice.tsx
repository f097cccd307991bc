/** How surely the human says yes when a deputy asks: a choice beside the blanks of a mandate. */
import type { FC } from 'hono/jsx';
import { type Grade, GRADES } from '../authority/grade.ts';

const WORDS = {
  pressed: 'by pressing a button',
  confirmed: 'after signing in again',
  device: 'with my device, by a passkey',
} satisfies Record<Grade, string>;

export const GradeChoice: FC<{ typed: string | undefined }> = ({ typed }) => (
  <label class="field buying">
    When it asks, I say yes
    <select name="approval">
      <option value="">in the surest way I have</option>
      {GRADES.map((grade) => (
        <option value={grade} selected={grade === typed}>
          {WORDS[grade]}
        </option>
      ))}
    </select>
  </label>
);
