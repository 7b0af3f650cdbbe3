/** Whom and what runs leave alone because Twilio refused it. */
import type { Blocked } from './blocked.ts';
import type { OpenBreaker } from './breaker.ts';
import type { UserSid } from './identity.ts';
import type { Parked } from './journal.ts';

export interface QuarantinedPerson extends Parked {
  /** Undefined for somebody who is not linked. */
  readonly user: UserSid | undefined;
  /** As the last operation on this person named it; undefined when the history no longer holds one. */
  readonly userName: string | undefined;
}

export interface Quarantined {
  /** By key. */
  readonly people: readonly QuarantinedPerson[];
  readonly blocks: readonly Blocked[];
  readonly breaker: OpenBreaker | undefined;
}
