import { plural } from '../report/plan-text.ts';
import type { RunSummary } from '../store/run-history.ts';

/** A run in one line: when, what came of it, how much it did. */
export function runLine(run: RunSummary): string {
  const { id, status, command, startedAt, operations, findings, error } = run;
  const states = Object.values(operations).flatMap((each) => Object.entries(each));
  const count = (...wanted: readonly string[]) =>
    states
      .filter(([state]) => wanted.length === 0 || wanted.includes(state))
      .reduce((sum, [, number]) => sum + number, 0);
  const parts = [`${count('done', 'already')} of ${plural(count(), 'operation')}`];
  if (count('failed') > 0) parts.push(`${count('failed')} failed`);
  if (findings > 0) parts.push(plural(findings, 'finding'));
  if (error !== undefined) parts.push(`${error.code}: ${error.message.split('\n', 1)[0]}`);
  return `${id}  ${new Date(startedAt).toISOString()}  ${status.padEnd(11)} ${command.padEnd(9)} ${parts.join(', ')}`;
}
