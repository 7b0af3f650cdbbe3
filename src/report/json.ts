import type { RunReport } from '../domain/run.ts';

/** The one JSON document of a run: stable field names, times in ISO 8601. */
export function reportJson(report: RunReport): string {
  const { startedAt, endedAt, ...rest } = report;
  const times = { startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString() };
  return `${JSON.stringify({ version: 1, ...times, ...rest }, null, 2)}\n`;
}
