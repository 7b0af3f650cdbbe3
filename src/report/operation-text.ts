import type { Operation } from '../domain/operation.ts';
import { printable } from './palette.ts';
import { reasons } from './plan-text.ts';

/** One operation in one line: what, from what to what, and why. */
export function operationText(operation: Operation): string {
  const changes = 'changes' in operation ? operation.changes : [];
  const what = [
    ...changes.map(
      ({ attribute, before, after }) => `${attribute}: ${printable(before ?? '(empty)')} → ${printable(after)}`,
    ),
    ...('grant' in operation
      ? [`${printable(operation.grant.roleName)} in ${printable(operation.grant.scopeName)}`]
      : []),
  ].join('; ');
  const byHand = operation.reason === 'changed-in-twilio' ? ', taken away in Twilio' : '';
  const because =
    operation.kind === 'grant' ? `by ${printable(operation.because)}${byHand}` : reasons[operation.reason];
  return `${operation.kind}${what === '' ? '' : ` ${what}`} (${because})`;
}
