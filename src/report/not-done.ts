import type { OperationReport } from '../domain/run.ts';

/** What did not succeed, with everybody whom it meets for the same reason. */
export interface NotDone extends OperationReport {
  /** Each operation's, in the order of the plan: somebody with two operations stands there twice. */
  readonly userNames: readonly string[];
}

/** What was skipped for one and the same reason is told once. */
export function notDone(operations: readonly OperationReport[]): readonly NotDone[] {
  const skipped = new Map<string, string[]>();
  return operations.flatMap((report): NotDone[] => {
    const { operation, outcome } = report;
    if (outcome.state === 'failed') return [{ ...report, userNames: [operation.userName] }];
    if (outcome.state !== 'skipped') return [];
    const reason = `${operation.kind} ${outcome.message}`;
    const known = skipped.get(reason);
    known?.push(operation.userName);
    if (known !== undefined) return [];
    const userNames = [operation.userName];
    skipped.set(reason, userNames);
    return [{ ...report, userNames }];
  });
}

const mostExamples = 3;

/** For JSON: one line per reason, however many people it meets. */
export function notDoneSummary(operations: readonly OperationReport[]): readonly object[] {
  return notDone(operations).map(({ operation: { kind }, outcome, userNames }) => {
    const people = [...new Set(userNames)];
    const { state } = outcome;
    const code = 'code' in outcome ? { code: outcome.code } : {};
    const message = 'message' in outcome ? outcome.message : '';
    return { kind, state, ...code, message, people: people.length, examples: people.slice(0, mostExamples) };
  });
}
