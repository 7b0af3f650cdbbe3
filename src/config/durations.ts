import { InternalError } from '../errors.ts';

/** A whole or decimal number and a unit, nothing in between: `500ms`, `30s`, `15m`, `24h`, `90d`. */
export const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The duration in whole milliseconds; undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = durationPattern.exec(text);
  const unit = unitMs[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    return undefined;
  }
  return Math.round(Number(match[1]) * unit);
}

/** For text that the schema has let pass. */
export function parseDurationOrFail(text: string): number {
  const parsed = parseDuration(text);
  if (parsed === undefined) throw new InternalError(`The schema let "${text}" pass as a duration`);
  return parsed;
}
