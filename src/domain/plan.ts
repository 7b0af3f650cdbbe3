import type { ExternalId, UserSid } from './identity.ts';
import type { Operation } from './operation.ts';
import type { GuardName } from './rules.ts';

export const findingCodes = [
  'invalid', // a value of the entry cannot become what the mapping wants
  'unidentified', // the entry has no immutable key
  'duplicate-external-id',
  'duplicate-address',
  'recycled-address', // the address belongs to another linked person
  'address-taken', // the address belongs to an unmanaged user while ours has another, or to a login outside the organization
  'not-adopted', // an unmanaged user has the address and adoptExisting is off
  'ambiguous', // more than one user could be meant
  'gone', // linked, but Twilio no longer shows the user; said once per domain when many are
  'absence-pending', // missing, but not yet from confirmAbsence reads in a row
  'leaver-reported', // a leaver whom the policy only reports
  'protected',
  'released', // given back to manual care by `tdsync release`
  'owner', // organization owner
  'suspended', // Twilio refused for it; not tried again before its time
  'not-managed', // Twilio gives roles to users of the organization alone, and takes this one for none
  'parked', // refused by Twilio before; waits for a change or a person
  'unverified-domain', // Twilio refuses addresses of a whole domain; said once for everybody concerned
  'quota-reached', // the organization may hold no more users; said once for everybody concerned
  'breaker-open', // a systemic failure ended an earlier run: of what failed, one is tried first
  'taken-over', // a rule gives a grant that somebody had made in Twilio; said once
  'drift', // differs from what we applied, and the policy only reports it
  'not-undone', // changed since the run that is to be undone, or cannot be taken back
  'role-ceiling', // more roles than Twilio lets one person hold
] as const;
export type FindingCode = (typeof findingCodes)[number];

/** Something to say about a person without changing anything. */
export interface Finding {
  readonly code: FindingCode;
  readonly externalId: ExternalId | '';
  readonly user?: UserSid;
  readonly userName?: string;
  /** Of a finding that is about everybody concerned in a mail domain. */
  readonly domain?: string;
  /** A sentence naming what was found, where, and what a person can do. */
  readonly message: string;
}

/**
 * Digests (SHA-256, hex) of what the plan was computed from. A plan without operations has none of source and Twilio:
 * nothing in it can become stale, and they cost a pass over everybody on every run that finds nothing to do.
 */
export interface Basis {
  readonly configuration: string;
  readonly source: string;
  readonly twilio: string;
}

export interface PlanCounts {
  /** Entries read from the source. */
  readonly entries: number;
  readonly inScope: number;
  /** Linked people. */
  readonly managed: number;
  /** In scope, linked, and nothing to do. */
  readonly unchanged: number;
  /** In scope, linked, and not shown by Twilio. */
  readonly gone: number;
  /** Twilio users without a link that no entry in scope matches. */
  readonly unmanaged: number;
}

/** What a later read is compared with. */
export interface CompleteReadCounts extends Pick<PlanCounts, 'entries' | 'inScope'> {
  /** Undefined when a version wrote it that did not count them. */
  readonly gone?: number | undefined;
}

/** Ordered operations and findings with the basis they were computed from. Sorted and serialisable. */
export interface Plan {
  readonly version: 1;
  readonly basis: Basis;
  readonly operations: readonly Operation[];
  readonly findings: readonly Finding[];
  readonly counts: PlanCounts;
  /**
   * SHA-256, hex, over the canonical JSON of everything but the counts, which people outside the plan may change, and the
   * words of findings, which name lines that may move.
   */
  readonly digest: string;
}

/** One guard's arithmetic. */
export interface GuardResult {
  readonly guard: GuardName;
  /** What the plan would do. */
  readonly measured: number;
  /** The most that is let through; undefined when no limit is set. */
  readonly limit: number | undefined;
  readonly passed: boolean;
  /** The arithmetic as a sentence. */
  readonly message: string;
}

/** A person lets a refused plan through once. */
export interface Approval {
  /** Of the plan. */
  readonly digest: string;
  readonly user: string;
  readonly host: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly expiresAt: number;
  readonly reason?: string;
}

export interface Verdict {
  readonly allowed: boolean;
  readonly guards: readonly GuardResult[];
  /** What let the plan through although a guard refuses it. */
  readonly approval?: Approval;
}
