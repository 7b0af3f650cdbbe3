import { type DestinationStream, destination as openDestination, pino } from 'pino';
import type { Logger } from '../ports.ts';
import { prettyStream } from './pretty-log.ts';

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** `json`: one pino line each; `pretty`: one line for people. */
  readonly format: 'json' | 'pretty';
  /** Default: stderr, synchronous, so that no line is lost at exit. */
  readonly destination?: DestinationStream;
}

const secretKeys = [
  'authorization',
  'clientSecret',
  'client_secret',
  'bindPassword',
  'password',
  'token',
  'access_token',
  'refresh_token',
];

/** Keys that could carry a secret are redacted at the top and up to two levels down. */
export function createLogger({
  level,
  format,
  destination = openDestination({ fd: 2, sync: true }),
}: LoggerOptions): Logger {
  const stream = format === 'pretty' ? prettyStream(destination) : destination;
  const paths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
  return pino({ level, redact: { paths, censor: '[redacted]' }, base: null }, stream);
}
