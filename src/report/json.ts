import type { RunReport } from '../domain/run.ts';
import type { TdsyncError } from '../errors.ts';

/** The one JSON document of a run: stable field names, times in ISO 8601. `error` is what ended it before its time. */
export function reportJson(report: RunReport, error?: TdsyncError): string {
  const { startedAt, endedAt, ...rest } = report;
  const failure = error && { error: { code: error.code, message: error.message, hint: error.hint } };
  return documentJson({ startedAt, endedAt, ...rest, ...failure });
}

/** Any other document of the command line, with the same version and the same form of times. */
export function documentJson(content: object): string {
  return `${JSON.stringify({ version: 1, ...content }, isoTimes, 2)}\n`;
}

/** Times are milliseconds since the epoch under names that end in `At`. */
function isoTimes(key: string, value: unknown): unknown {
  return /(?:^at|At)$/.test(key) && typeof value === 'number' ? new Date(value).toISOString() : value;
}
