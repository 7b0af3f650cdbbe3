import { TdsyncError } from '../errors.ts';

/** The command line asks for something that does not make sense. */
export class UsageError extends TdsyncError {
  readonly code = 'usage';
}
