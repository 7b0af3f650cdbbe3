/**
 * Addresses are unique in Twilio, so a person can only move to an address that is free by then.
 *
 *   chain  A → b, B → c      B moves first (`after`)
 *   swap   A → b, B → a      A makes way to an intermediate address, B moves, A moves
 *   stuck  A → b, B stays    A is not touched: a finding
 *
 * When everybody in a ring is still to be adopted, the first is adopted under the intermediate address and moves later.
 * Each wish for an address waits for at most one other person, the present holder; so wishes form chains and rings.
 */
import { compareStrings, type Email, type ExternalId, normalizeEmail, type UserSid } from '../domain/identity.ts';
import type { Operation } from '../domain/operation.ts';
import type { Finding } from '../domain/plan.ts';
import type { TwilioUser } from '../domain/user.ts';
import type { Parked } from '../ports.ts';
import type { Links, UserIndex } from './correlate.ts';
import { type Detour, detourOf } from './detour.ts';
import type { Draft } from './draft.ts';
import { parkedFinding, waits } from './parking.ts';

export interface Ordered {
  /** Drafts whose addresses are free or will be, with `after` set, and with intermediate steps added. */
  readonly drafts: readonly Draft[];
  /** Of people whose wished address will not be free. */
  readonly findings: readonly Finding[];
  /** People whose intermediate step Twilio refused before. */
  readonly waiting: ReadonlySet<ExternalId>;
}

export interface AddressInput {
  readonly drafts: readonly Draft[];
  readonly users: Pick<UserIndex, 'byAddress'>;
  readonly links: Links;
  readonly parked: ReadonlyMap<ExternalId, Parked>;
  readonly now: number;
}

/** An operation that sets an address, with the draft it comes from. */
interface Wish {
  readonly draft: Draft;
  readonly operation: Extract<Operation, { changes: unknown }>;
  readonly address: Email;
  readonly holder: TwilioUser | undefined;
  state: 'unknown' | 'visiting' | 'free' | 'stuck';
}

export function orderAddresses({ drafts, users, links, parked, now }: AddressInput): Ordered {
  const wishes = drafts.flatMap((draft) => wishOf(draft, users));
  const byMover = new Map<UserSid, Wish>();
  for (const wish of wishes) if (wish.draft.user !== undefined) byMover.set(wish.draft.user, wish);
  const holderOf = (wish: Wish) => (wish.holder === undefined ? undefined : byMover.get(wish.holder.sid));

  const after = new Map<string, string>();
  const detours = new Map<Operation, Detour>();
  const refused: Finding[] = [];
  for (const wish of wishes) settle(wish);
  const stuck = wishes.filter((wish) => wish.state === 'stuck');
  const dropped = new Set(stuck.map((wish) => wish.draft));
  return {
    drafts: drafts.filter((draft) => !dropped.has(draft)).map(amend),
    findings: [...stuck.map((wish) => stuckFinding(wish, links)), ...refused],
    waiting: new Set(refused.flatMap(({ externalId }) => externalId || [])),
  };

  /** Follows the chain from one wish to its end, then decides backwards. */
  function settle(start: Wish): void {
    const path: Wish[] = [];
    let wish: Wish | undefined = start;
    while (wish !== undefined && wish.state === 'unknown') {
      wish.state = 'visiting';
      path.push(wish);
      if (wish.holder === undefined) break;
      wish = holderOf(wish);
    }
    if (wish?.state === 'visiting' && wish.holder !== undefined) closeRing(path.slice(path.indexOf(wish)));
    for (const each of path.reverse()) {
      if (each.state !== 'visiting') continue;
      const next = holderOf(each);
      each.state = each.holder === undefined || next?.state === 'free' ? 'free' : 'stuck';
      if (next?.state === 'free') after.set(each.operation.id, next.operation.id);
    }
  }

  /** One member makes way, chosen so that the plan is the same for any order of the input. */
  function closeRing(ring: readonly Wish[]): void {
    const [first] = [...ring].sort(easiest);
    const detour = first && detourOf(first.operation);
    if (first === undefined || detour === undefined) return;
    const park = parked.get(first.draft.externalId);
    const refusal = waits(detour.first, park, now) ? parkedFinding(detour.first, park) : undefined;
    if (refusal !== undefined) refused.push(refusal);
    for (const wish of ring) {
      wish.state = refusal === undefined ? 'free' : 'stuck';
      if (refusal !== undefined) continue;
      const next = holderOf(wish);
      const mover = wish === first ? detour.last : wish.operation;
      if (next !== undefined) after.set(mover.id, next === first ? detour.first.id : next.operation.id);
    }
    if (refusal === undefined) detours.set(first.operation, detour);
  }

  function amend(draft: Draft): Draft {
    const operations = draft.operations
      .flatMap((operation): readonly Operation[] => {
        const detour = detours.get(operation);
        return detour === undefined ? [operation] : [detour.first, detour.last];
      })
      .map((operation) => {
        const before = after.get(operation.id);
        return before === undefined ? operation : { ...operation, after: before };
      });
    return { ...draft, operations };
  }
}

/** Somebody who is linked already, by the smallest externalId: nobody is changed before being adopted. */
function easiest(a: Wish, b: Wish): number {
  const adopted = (wish: Wish) => (wish.operation.kind === 'adopt' ? 1 : 0);
  return adopted(a) - adopted(b) || compareStrings(a.draft.externalId, b.draft.externalId);
}

function wishOf(draft: Draft, users: AddressInput['users']): Wish[] {
  for (const operation of draft.operations) {
    if (!('changes' in operation)) continue;
    const change = operation.changes.find(({ attribute }) => attribute === 'userName');
    if (change === undefined) return [];
    const address = normalizeEmail(change.after);
    const holder = users.byAddress.get(address);
    return [{ draft, operation, address, holder: holder?.sid === draft.user ? undefined : holder, state: 'unknown' }];
  }
  return [];
}

function stuckFinding({ draft, holder, address }: Wish, links: Links): Finding {
  const { externalId, user, userName } = draft;
  const owner = holder && links.byUser.get(holder.sid);
  const remedy =
    user === undefined
      ? `if ${externalId} is the same person, say so with \`tdsync relink ${owner} ${externalId}\`; if not, decide what becomes of the other first`
      : `decide what becomes of that person before ${externalId} gets it`;
  const who = { externalId, userName, ...(user !== undefined && { user }) };
  return owner === undefined
    ? {
        ...who,
        code: 'address-taken',
        message: `the address ${address} belongs in Twilio to ${holder?.sid ?? 'another user'}, who is not managed; free it there or correct the source`,
      }
    : {
        ...who,
        code: 'recycled-address',
        message: `the address ${address} still belongs in Twilio to ${holder?.sid}, managed as ${owner}; ${remedy}`,
      };
}
