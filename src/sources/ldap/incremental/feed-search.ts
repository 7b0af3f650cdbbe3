import { type Control, type Filter, SearchRequest } from 'ldapts';
import type { SearchScope } from '../../../domain/ldap-options.ts';
import { SourceUnavailableError } from '../../../errors.ts';
import { describeResult } from '../bind.ts';
import type { LdapConnection } from '../connection.ts';
import { type AnswerHandlers, ConversationLostError } from '../exchange.ts';
import { type Frame, MalformedMessageError } from '../framing.ts';
import type { LdapResult } from '../ldap-result.ts';
import type { Doubt } from './change-feed.ts';

export interface FeedSearch {
  readonly context: string;
  readonly scope: SearchScope;
  readonly filter: Filter;
  readonly attributes: readonly string[];
  readonly control?: Control;
}

/**
 * One search of a naming context as a whole, in one answer; with a control, for changes. Throws SourceUnavailableError when the conversation
 * breaks off. References are the caller's to judge: a domain's root always has some, to the contexts beside it.
 */
export async function searchFeed(
  connection: LdapConnection,
  search: FeedSearch,
  handlers: AnswerHandlers,
): Promise<LdapResult> {
  const message = new SearchRequest({
    messageId: connection.nextMessageId(),
    baseDN: search.context,
    scope: search.scope,
    filter: search.filter,
    attributes: [...search.attributes],
    sizeLimit: 0,
    timeLimit: 0,
    ...(search.control !== undefined && { controls: [search.control] }),
  });
  try {
    return await connection.request(message, handlers);
  } catch (error) {
    if (!(error instanceof ConversationLostError)) throw error;
    throw new SourceUnavailableError(
      `${connection.url}: asking what changed below "${search.context}" failed: ${error.message}`,
      { hint: error.hint ?? 'check the server and its log', cause: error, elsewhere: !error.everywhere },
    );
  }
}

/** A message that cannot be read must not end the conversation: the ordinary read that follows does not depend on it. */
export function tolerant(handlers: AnswerHandlers): AnswerHandlers & { malformed(): boolean } {
  let malformed = false;
  const guarded = (handle: ((frame: Frame) => void) | undefined) => (frame: Frame) => {
    try {
      handle?.(frame);
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      malformed = true;
    }
  };
  return {
    ...handlers,
    onEntry: guarded(handlers.onEntry),
    onIntermediate: guarded(handlers.onIntermediate),
    malformed: () => malformed,
  };
}

/** What a refusal means for the method; undefined when the answer can be used. */
export function refusal(
  result: LdapResult,
  hints: Readonly<Record<number, string>>,
  references: readonly string[],
): Doubt | undefined {
  if (result.code !== 0) {
    const hint = hints[result.code];
    return {
      doubt: `the server does not say what changed: ${describeResult(result)}`,
      ...(hint !== undefined && { hint }),
    };
  }
  if (references.length === 0) return undefined;
  return {
    doubt: `a part of the tree is on another server (${references.join(', ')}), which says nothing of its changes`,
  };
}
