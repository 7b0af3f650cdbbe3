import { documentJson } from '../report/json.ts';
import { plain, printable } from '../report/palette.ts';
import { findingsText, guardsText } from '../report/plan-text.ts';
import type { RecordedOperation, RunDetails } from '../store/run-history.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { GlobalOptions } from './program.ts';
import { runLine } from './run-line.ts';
import { openForLooking } from './snapshot-session.ts';
import { print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

interface RunsOptions extends GlobalOptions {
  readonly limit: number;
}

export async function runs(id: string | undefined, options: RunsOptions): Promise<ExitCode> {
  const { snapshot } = openForLooking(options);
  using _snapshot = snapshot;
  const { history } = snapshot;
  if (id === undefined) {
    const list = history.runs(options.limit);
    const text = list.length === 0 ? 'No run yet.\n' : `${list.map(runLine).join('\n')}\n`;
    print(options.json ? documentJson({ runs: list }) : text);
    return exitCodes.ok;
  }
  const details = history.run(id);
  if (details === undefined) {
    throw new UsageError(`runs: there is no run ${printable(id)} in the snapshot`, {
      hint: 'list them with `tdsync runs`',
    });
  }
  print(options.json ? documentJson(details) : detailsText(details));
  return exitCodes.ok;
}

function detailsText({ summary, verdict, operations, findings, calls }: RunDetails): string {
  const { host, pid, user, allowances } = summary;
  const sections = [
    `${runLine(summary)}\nby ${user} on ${host}, process ${pid}${allowances.length > 0 ? `, allowed ${allowances.join(', ')}` : ''}`,
    operations.map(operationLine).join('\n'),
    findingsText(findings, plain, Number.POSITIVE_INFINITY),
    verdict === undefined ? '' : guardsText(verdict, plain),
    calls === undefined
      ? ''
      : Object.entries(calls)
          .map(([endpoint, count]) => `${count} × ${endpoint}`)
          .join('\n'),
  ];
  return `${sections.filter((each) => each !== '').join('\n\n')}\n`;
}

function operationLine({ operation, state, outcome, checkedBy }: RecordedOperation): string {
  const changes = 'changes' in operation ? operation.changes : [];
  const what = [
    ...changes.map(({ attribute, before, after }) => `${attribute}: ${before ?? '(empty)'} → ${after}`),
    ...('grant' in operation ? [`${operation.grant.roleName} in ${operation.grant.scopeName}`] : []),
  ].join('; ');
  const message = outcome !== undefined && 'message' in outcome ? `: ${outcome.message}` : '';
  const request = outcome !== undefined && 'requestId' in outcome && outcome.requestId ? ` [${outcome.requestId}]` : '';
  const checked = checkedBy === undefined ? '' : ` (outcome unknown; looked at by run ${checkedBy})`;
  const { kind, userName, externalId, reason } = operation;
  return printable(
    `  ${state.padEnd(8)} ${kind.padEnd(10)} ${userName} (${externalId})  ${what}  [${reason}]${message}${request}${checked}`,
  );
}
