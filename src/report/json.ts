import type { RunReport } from '../domain/run.ts';
import { escapedJson } from '../domain/visible-text.ts';
import type { TdsyncError } from '../errors.ts';
import { notDoneSummary } from './not-done.ts';
import { withSinceAt } from './quarantine.ts';

/** The one JSON document of a run: stable field names, times in ISO 8601. `notDone` tells once what meets many. `error` is what ended it before its time. */
export function reportJson(report: RunReport, error?: TdsyncError): string {
  const { startedAt, endedAt, breaker, ...rest } = report;
  const failure = error && { error: { code: error.code, message: error.message, hint: error.hint } };
  const more = { notDone: notDoneSummary(report.operations), ...(breaker && { breaker: withSinceAt(breaker) }) };
  return documentJson({ startedAt, endedAt, ...rest, ...more, ...failure });
}

/** Any other document of the command line, with the same version and the same form of times. */
export function documentJson(content: object): string {
  return `${escapedJson(JSON.stringify({ version: 1, ...content }, isoTimes, 2))}\n`;
}

/** Times are milliseconds since the epoch under names that end in `At`. */
function isoTimes(key: string, value: unknown): unknown {
  return /(?:^at|At)$/.test(key) && typeof value === 'number' ? new Date(value).toISOString() : value;
}
