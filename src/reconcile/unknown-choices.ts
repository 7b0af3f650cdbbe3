import { type Email, type ExternalId, normalizeEmail, type UserSid } from '../domain/identity.ts';
import type { Logger } from '../ports.ts';
import type { State } from './read-state.ts';

/**
 * Chosen people whom neither side knows: most often a typing error, after which "nothing to do" would be a false comfort.
 * A choice stands in the set as given and normalised as an address; it is known when either form is.
 */
function unknownChoices(only: ReadonlySet<string>, { desired, users, links }: State): readonly string[] {
  if (only.size === 0) return [];
  const wanted = new Set<Email>(desired.heldAddresses);
  for (const { attributes } of desired.users.values()) wanted.add(normalizeEmail(attributes.userName));
  for (const { userName } of desired.findings) if (userName !== undefined) wanted.add(normalizeEmail(userName));
  const isKnown = (name: string) =>
    desired.users.has(name as ExternalId) ||
    desired.outOfScope.has(name as ExternalId) ||
    desired.held.has(name as ExternalId) ||
    links.byExternalId.has(name as ExternalId) ||
    users.byExternalId.has(name as ExternalId) ||
    users.bySid.has(name as UserSid) ||
    users.byAddress.has(name as Email) ||
    wanted.has(name as Email);
  const known = new Set([...only].filter(isKnown).map(normalizeEmail));
  const unknown = [...only].filter((name) => !known.has(normalizeEmail(name)));
  // As given stands before normalised.
  return [...new Map(unknown.toReversed().map((name) => [normalizeEmail(name), name])).values()].toReversed();
}

export function warnOfUnknown(only: ReadonlySet<string> | undefined, state: State, logger: Logger): void {
  for (const name of unknownChoices(only ?? new Set(), state)) {
    logger.warn({ only: name }, `"${name}" was chosen, but is neither in scope of the source nor in Twilio`);
  }
}
