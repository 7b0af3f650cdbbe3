import { parseDuration } from '../config/durations.ts';
import { systemClock } from '../ops/clock.ts';
import { documentJson } from '../report/json.ts';
import { plain, printable } from '../report/palette.ts';
import { findingsText, guardsText } from '../report/plan-text.ts';
import { sourceText } from '../report/source-text.ts';
import type { RecordedOperation, RunDetails } from '../store/run-history.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { csvHeader, csvLine, type ExportFormat, jsonLine } from './history-export.ts';
import { runLine } from './run-line.ts';
import { openForLooking } from './snapshot-session.ts';
import { print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

interface RunsOptions extends GlobalOptions {
  readonly limit: number;
  readonly export?: ExportFormat;
  readonly run?: string;
  readonly since?: string;
}

export async function runs(id: string | undefined, options: RunsOptions): Promise<ExitCode> {
  if (options.export !== undefined) return exportRuns(options.export, options.run ?? id, options);
  for (const name of ['run', 'since'] as const) {
    if (options[name] !== undefined) throw new UsageError(`--${name} goes with --export`);
  }
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
  if (details === undefined) throw noSuchRun(id);
  print(options.json ? documentJson(details) : detailsText(details));
  return exitCodes.ok;
}

function exportRuns(format: ExportFormat, run: string | undefined, options: RunsOptions): ExitCode {
  const since = options.since === undefined ? undefined : parseSince(options.since);
  const { snapshot } = openForLooking(options);
  using _snapshot = snapshot;
  const render = format === 'csv' ? csvLine : jsonLine;
  let pending = format === 'csv' ? csvHeader : '';
  const found = snapshot.audit.export({ run, since }, (line) => {
    pending += render(line);
    if (pending.length < chunk) return;
    print(pending);
    pending = '';
  });
  if (!found) throw noSuchRun(run ?? '');
  print(pending);
  return exitCodes.ok;
}

/** Characters that are written at once. */
const chunk = 65_536;

/** A time (ISO 8601), or a duration before now; milliseconds since the epoch. */
function parseSince(text: string): number {
  const ago = parseDuration(text);
  const since = ago === undefined ? Date.parse(text) : systemClock.now() - ago;
  if (/^\d{4}-|^[\d.]+[a-z]+$/.test(text) && Number.isFinite(since)) return since;
  throw new UsageError(`--since: "${text}" is neither a time nor a duration; write for example 2026-11-01 or 30d`);
}

function noSuchRun(id: string): UsageError {
  return new UsageError(`runs: there is no run ${printable(id)} in the snapshot`, {
    hint: 'list them with `tdsync runs`',
  });
}

function detailsText({ summary, verdict, operations, findings, calls }: RunDetails): string {
  const { host, pid, user, allowances, source } = summary;
  const sections = [
    `${runLine(summary)}\nby ${user} on ${host}, process ${pid}${allowances.length > 0 ? `, allowed ${allowances.join(', ')}` : ''}`,
    source === undefined ? '' : `Source: ${sourceText(source)}`,
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
