import { destination as openDestination, pino } from 'pino';
import { escapedJson } from '../domain/visible-text.ts';
import type { Logger } from '../ports.ts';
import { type LogDestination, prettyStream } from './pretty-log.ts';
import { redacted, scrubbed } from './redaction.ts';

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** `json`: one JSON object per line; `pretty`: one line for people. */
  readonly format: 'json' | 'pretty';
  /** Default: stderr, synchronous, so that no line is lost at exit. */
  readonly destination?: LogDestination;
  /** On every line. */
  readonly bindings?: Readonly<Record<string, unknown>>;
  /** Colours for `pretty`; default none. */
  readonly colour?: boolean;
}

/** A log of lines with `time` (ISO 8601, UTC), `level`, fields and `msg`. No secret passes: see `redaction.ts`. */
export function createLogger(options: LoggerOptions): Logger {
  const destination = options.destination ?? openDestination({ fd: 2, sync: true });
  return pino(
    {
      level: options.level,
      base: options.bindings ?? null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        bindings: redactedFields,
        log: redactedFields,
      },
      // Errors are made plain by the redaction already.
      serializers: { err: (error) => error },
      hooks: { streamWrite: (line) => escapedJson(scrubbed(line)) },
    },
    options.format === 'pretty' ? prettyStream(destination, options.colour ?? false) : destination,
  );
}

function redactedFields(fields: Record<string, unknown>): Record<string, unknown> {
  return redacted(fields) as Record<string, unknown>;
}
