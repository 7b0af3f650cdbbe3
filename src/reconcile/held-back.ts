/** What Twilio refused, in earlier runs and in this one, and who is held back for that. */
import { type Blocked, type BlockKey, refusalText } from '../domain/blocked.ts';
import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { Operation } from '../domain/operation.ts';
import { blockedBy, blockOn, blocksOf } from '../engine/blocked.ts';
import { concerns } from '../engine/parking.ts';
import type { TargetError } from '../errors.ts';
import type { Clock, Effect, Parked, SnapshotStore } from '../ports.ts';
import { block, codeOf, isKnown, park } from './refusal.ts';

/** What Twilio refused in earlier runs, and the people of whom the plan leaves something out for that. */
export interface Parking {
  readonly parked: ReadonlyMap<ExternalId, Parked>;
  readonly waiting: ReadonlySet<ExternalId>;
  /** Blocks of earlier runs: those whose time has not come are not in the plan. */
  readonly blocked?: ReadonlyMap<BlockKey, Blocked>;
}

export interface HeldBack {
  /** Why an operation is not to be tried, because of what this run was refused; undefined when nothing speaks against it. */
  reasonAgainst(operation: Operation): { readonly message: string; readonly effects: readonly Effect[] } | undefined;
  /** Its success, or refusal, decides about everybody whom a block of an earlier run holds back. */
  decides(operation: Operation): boolean;
  /** Success frees a person when nothing of theirs is refused any more, and shows that Twilio takes the domain, and has room. */
  succeeded(operation: Operation, state: 'done' | 'already'): readonly Effect[];
  /** True when others are concerned, whom it then holds back. */
  isBlock(operation: Operation, error: TargetError): boolean;
  refused(operation: Operation, error: TargetError): readonly Effect[];
  /** The very record was refused in an earlier run. */
  isKnown(operation: Operation): boolean;
  /** How often the person was refused in earlier runs. */
  attemptsOf(externalId: ExternalId): number;
}

export function createHeldBack(
  parking: Parking,
  /** Users created by this run. */
  created: ReadonlyMap<ExternalId, UserSid>,
  { store, clock }: { readonly store: SnapshotStore; readonly clock: Clock },
): HeldBack {
  const refusals = new Map<ExternalId, Parked>();
  const blocked = new Map<BlockKey, Blocked>();
  const cleared = new Set<BlockKey>();

  /** Blocks of earlier runs that an operation would meet, and of which this run knows nothing new. */
  function standing(operation: Operation): readonly BlockKey[] {
    return blocksOf(operation).filter((key) => {
      return parking.blocked?.has(key) === true && !blocked.has(key) && !cleared.has(key);
    });
  }

  function parkIt(operation: Operation, why: Pick<Parked, 'code' | 'message'>): Effect {
    const { externalId } = operation;
    const known = { earlier: parking.parked.get(externalId), now: refusals.get(externalId) };
    const parked = park(operation, why, known, clock.now());
    refusals.set(externalId, parked);
    return { effect: 'parked', parked };
  }

  function rolesHeld(operation: Operation): number {
    const user = ('user' in operation && operation.user) || created.get(operation.externalId);
    return user ? store.rolesHeld(user) : 0;
  }

  return {
    reasonAgainst(operation) {
      const met = blockOn(operation, blocked, clock.now());
      if (met !== undefined) return { message: refusalText(met.key), effects: [] };
      const earlier = refusals.get(operation.externalId);
      if (earlier === undefined || !isConcerned(operation, earlier)) return undefined;
      const message = `Twilio refused this person already (${earlier.code})`;
      return { message, effects: [parkIt(operation, earlier)] };
    },
    decides: (operation) => parking.blocked !== undefined && standing(operation).length > 0,
    succeeded(operation, state) {
      const { externalId } = operation;
      const waits = parking.waiting.has(externalId) || refusals.has(externalId);
      const keys = state === 'done' ? standing(operation) : [];
      for (const key of keys) cleared.add(key);
      return [
        ...(parking.parked.has(externalId) && !waits ? [{ effect: 'unparked', externalId } as const] : []),
        ...keys.map((key) => ({ effect: 'unblocked', key }) as const),
      ];
    },
    isBlock: (operation, { twilioCode }) => blockedBy(operation, twilioCode) !== undefined,
    refused(operation, error) {
      const key = blockedBy(operation, error.twilioCode);
      if (key === undefined) {
        const code = codeOf(operation, error, () => rolesHeld(operation));
        return [parkIt(operation, { code, message: error.message })];
      }
      if (blocked.has(key)) return [];
      const known = block(key, parking.blocked?.get(key), clock.now());
      blocked.set(key, known);
      return [{ effect: 'blocked', blocked: known }];
    },
    isKnown: (operation) => isKnown(operation, parking.parked.get(operation.externalId)),
    attemptsOf: (externalId) => parking.parked.get(externalId)?.attempts ?? 0,
  };
}

function isConcerned({ kind }: Operation, { code }: Parked): boolean {
  const what = concerns(code);
  return what === 'everything' || (what === 'grants' && kind === 'grant');
}
