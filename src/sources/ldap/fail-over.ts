/**
 * One read from the first server that can do all of it.
 *
 * | what ends the attempt                                          | nothing handed over yet | entries handed over |
 * |----------------------------------------------------------------|-------------------------|---------------------|
 * | look-up, connection, TLS, time-out, server lost, 51, 52        | next server, anew       | incomplete |
 * | refused credentials (49 and its like): locks accounts          | error                   | – |
 * | wrong base, filter, right, limit, file: the same everywhere    | error                   | incomplete |
 * | the time for the whole read                                    | incomplete              | incomplete |
 *
 * Groups and users come from one server: two servers may be at different states, and a mixture of both is no state at all.
 */
import type { CompleteRead, Entry } from '../../domain/entry.ts';
import { SourceError, SourceIncompleteError, SourceUnavailableError } from '../../errors.ts';
import type { Logger } from '../../ports.ts';
import type { ServerAddress } from './options.ts';
import type { Servers } from './servers.ts';

export type OnEntry = (entry: Entry) => void;

/** Throws SourceUnavailableError, SourceIncompleteError, the signal's reason, and what `onEntry` throws. */
export async function readWithFailOver(
  servers: Servers,
  readFrom: (address: ServerAddress, onEntry: OnEntry) => Promise<CompleteRead>,
  onEntry: OnEntry,
  logger: Logger,
  signal: AbortSignal,
): Promise<CompleteRead> {
  const failures: SourceError[] = [];
  let handedOver = 0;
  const count = (entry: Entry) => {
    handedOver += 1;
    onEntry(entry);
  };
  function mayGoOn(error: unknown): void {
    if (!(error instanceof SourceError)) throw error;
    if (handedOver > 0) throw asIncomplete(error, handedOver);
    if (!error.elsewhere) throw withEarlier(error, failures);
    failures.push(error);
  }
  let told = 0;

  for await (const address of servers.candidates(signal, mayGoOn)) {
    for (const { message, hint } of failures.slice(told)) {
      const fields = { reason: message, hint, next: address.url };
      logger.warn(fields, 'a directory server cannot be read; the next one is tried');
    }
    told = failures.length;
    try {
      const read = await readFrom(address, count);
      servers.worked(address);
      return read;
    } catch (error) {
      if (error instanceof SourceError && error.elsewhere) servers.failed(address);
      mayGoOn(error);
    }
  }
  throw noServerLeft(failures);
}

/** What was handed over must not be taken for the whole, whatever the reason. */
function asIncomplete(error: SourceError, handedOver: number): SourceError {
  if (error instanceof SourceIncompleteError) return error;
  const message = `${error.message}; the read is incomplete: ${handedOver} entries had come before`;
  return new SourceIncompleteError(message, { hint: error.hint, cause: error });
}

function withEarlier(error: SourceError, failures: readonly SourceError[]): SourceError {
  if (failures.length === 0) return error;
  const details = { hint: error.hint, cause: error };
  const message = `${error.message}; tried before: ${list(failures)}`;
  return error instanceof SourceIncompleteError
    ? new SourceIncompleteError(message, details)
    : new SourceUnavailableError(message, details);
}

function noServerLeft(failures: readonly SourceError[]): SourceError {
  const [first] = failures;
  if (first !== undefined && failures.length === 1) return first;
  const hints = [...new Set(failures.flatMap(({ hint }) => hint ?? []))];
  return new SourceUnavailableError(`no directory server can be read: ${list(failures)}`, {
    hint: hints.join('; '),
    cause: new AggregateError(failures),
  });
}

function list(failures: readonly SourceError[]): string {
  return failures.map(({ message }, index) => `(${index + 1}) ${message}`).join(' ');
}
