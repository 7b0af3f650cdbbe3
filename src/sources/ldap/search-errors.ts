import { type SourceError, SourceIncompleteError, SourceUnavailableError } from '../../errors.ts';
import { describeResult } from './bind.ts';
import { deadlineHint, ReadDeadlineError } from './deadline.ts';
import { ConversationLostError } from './exchange.ts';
import type { LdapResult } from './ldap-result.ts';
import { describeResultCode, isServerTrouble } from './result-codes.ts';

/** How far a search has come, for messages. */
export interface SearchPosition {
  readonly url: string;
  /** `users` or `groups`. */
  readonly what: string;
  readonly base: string;
  readonly filter: string;
  /** The page under way, from 1. */
  readonly page: number;
  /** Entries of this search so far. */
  readonly entries: number;
}

/** A result other than success. `existing`: naming contexts of the server, asked for when the base does not exist. */
export function resultError(
  position: SearchPosition,
  result: LdapResult,
  existing: readonly string[] = [],
): SourceError {
  const { kind, remedy } = describeResultCode(result.code);
  const details = [describeResult(result)];
  if (result.code === 32 && result.matchedDn !== '')
    details.push(`the deepest entry that exists is ${result.matchedDn}`);
  if (result.code === 32 && result.matchedDn === '' && existing.length > 0)
    details.push(`the server holds ${existing.join(' and ')}`);
  if ((result.code === 4 || result.code === 11) && position.entries > 0)
    details.push(
      position.page === 1
        ? 'either pages of this size are too large (pageSize), or this limits all pages together'
        : 'this limits all pages together, so smaller pages do not help',
    );
  if (result.referrals.length > 0) details.push(`it refers to ${result.referrals.join(', ')}`);
  const message = `${describeSearch(position)} failed on page ${position.page} after ${count(position.entries)}: ${details.join('; ')}`;
  // Once entries have come, the part that came must not be taken for the whole, whatever the code.
  const unavailable = kind === 'unavailable' && position.entries === 0 && position.page === 1;
  const outcome = { hint: remedy, elsewhere: isServerTrouble(result.code) };
  return unavailable ? new SourceUnavailableError(message, outcome) : new SourceIncompleteError(message, outcome);
}

/** What became of a search whose conversation did not come to its end; any other error as it is. */
export function brokenOff(position: SearchPosition, error: unknown): unknown {
  if (error instanceof ConversationLostError) return lostError(position, error);
  if (error instanceof ReadDeadlineError) return incompleteError(position, error.message, deadlineHint, error);
  return error;
}

function lostError(position: SearchPosition, error: ConversationLostError): SourceIncompleteError {
  const hint =
    error.hint ??
    'try again; if it happens at the same place again, the server log says why, and timeouts.operation may be too short';
  return incompleteError(position, error.message, hint, error, !error.everywhere);
}

export function incompleteError(
  position: SearchPosition,
  reason: string,
  hint: string,
  cause?: unknown,
  elsewhere = false,
): SourceIncompleteError {
  return new SourceIncompleteError(
    `${describeSearch(position)} is incomplete: on page ${position.page} after ${count(position.entries)}: ${reason}`,
    { hint, cause, elsewhere },
  );
}

function describeSearch({ url, what, base, filter }: SearchPosition): string {
  return `${url}: reading ${what} below "${base}" with filter ${filter}`;
}

function count(entries: number): string {
  return entries === 1 ? '1 entry' : `${entries} entries`;
}
