import type { ExternalId, UserSid } from './identity.ts';
import type { NamedGrant, Reason } from './operation.ts';
import type { FindingCode } from './plan.ts';
import type { Policy } from './rules.ts';
import type { TextAttribute } from './user.ts';

/** One thing that somebody changed in Twilio: as we left it, as it is now, and as the source wants it. */
export type Drift =
  | {
      readonly kind: 'attribute';
      readonly attribute: TextAttribute;
      /** Undefined: there was, or is, no value. */
      readonly before: string | undefined;
      readonly now: string | undefined;
      readonly wanted: string;
      readonly origin: DriftOrigin;
    }
  | {
      readonly kind: 'activity';
      /** Active, or not. */
      readonly before: boolean;
      readonly now: boolean;
      readonly wanted: boolean;
      readonly origin: DriftOrigin;
    }
  | {
      readonly kind: 'grant';
      readonly grant: NamedGrant;
      /** Held, or not. */
      readonly before: boolean;
      readonly now: boolean;
      readonly wanted: boolean;
      /** The rule's group or condition, of a grant that is wanted. */
      readonly because?: string;
      readonly origin: DriftOrigin;
    };

export type DriftOrigin = Extract<Reason, 'changed-in-twilio' | 'changed-in-both'>;

export interface PersonDrift {
  readonly externalId: ExternalId;
  readonly userName: string;
  readonly user: UserSid;
  /** Why no run changes this person, when none does. */
  readonly leftAlone?: FindingCode;
  readonly drift: readonly Drift[];
}

/** Everything that was changed in Twilio of linked people, by externalId. */
export interface DriftReport {
  readonly policy: Pick<Policy, 'drift' | 'mode'>;
  /** Linked people who were looked at. */
  readonly managed: number;
  readonly people: readonly PersonDrift[];
}
