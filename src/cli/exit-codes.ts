import type { RunStatus } from '../domain/run.ts';
import type { TdsyncError } from '../errors.ts';

export const exitCodes = {
  ok: 0,
  unexpected: 1,
  pending: 2,
  refused: 3,
  partial: 4,
  source: 5,
  target: 6,
  usage: 64,
  leaseHeld: 75,
  configuration: 78,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** By the error's stable code; anything unknown is unexpected. */
export function exitCodeOf(error: TdsyncError): ExitCode {
  switch (error.code) {
    case 'usage':
      return exitCodes.usage;
    case 'config':
      return exitCodes.configuration;
    case 'source-unavailable':
    case 'source-incomplete':
      return exitCodes.source;
    case 'stale-plan':
      return exitCodes.refused;
    case 'lease-held':
      return exitCodes.leaseHeld;
    case 'interrupted':
    case 'breaker-open':
      return exitCodes.partial;
    default:
      return error.code.startsWith('twilio-') ? exitCodes.target : exitCodes.unexpected;
  }
}

/** Of a run that ended with a report. `detailed` tells pending changes of a dry run apart. */
export function exitCodeOfRun(status: RunStatus | 'planned', detailed: boolean): ExitCode {
  switch (status) {
    case 'planned':
      return detailed ? exitCodes.pending : exitCodes.ok;
    case 'applied':
    case 'converged':
      return exitCodes.ok;
    case 'refused':
      return exitCodes.refused;
    case 'partial':
    case 'interrupted':
      return exitCodes.partial;
    case 'failed':
      return exitCodes.target;
  }
}
