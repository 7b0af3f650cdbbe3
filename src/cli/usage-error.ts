import { ConfigError, type ConfigIssue, TdsyncError } from '../errors.ts';

/** The command line asks for something that does not make sense. */
export class UsageError extends TdsyncError {
  readonly code = 'usage';
}

/** A file that the command line names is wrong: carries everything that is wrong with it. */
class InputFileError extends UsageError {
  readonly issues: readonly ConfigIssue[];

  constructor(cause: ConfigError) {
    super(cause.message, { cause, hint: cause.hint });
    this.issues = cause.issues;
  }
}

/** Reads a file that is an argument, not the configuration: what is wrong with it is a matter of usage. */
export async function readInput<Content>(read: () => Content | Promise<Content>): Promise<Content> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof ConfigError ? new InputFileError(error) : error;
  }
}
