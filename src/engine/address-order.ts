/**
 * Addresses are unique in Twilio, so a person can only move to an address that is free by then.
 *
 *   chain  A → b, B → c      B moves first (`after`)
 *   swap   A → b, B → a      A makes way to an intermediate address, B moves, A moves
 *   stuck  A → b, B stays    A is not touched: a finding
 *
 * Each wish for an address waits for at most one other person, the present holder; so wishes form chains and rings.
 */
import { createHash } from 'node:crypto';
import { compareStrings, type Email, normalizeEmail, type UserSid } from '../domain/identity.ts';
import type { Operation, WriteOperation } from '../domain/operation.ts';
import type { Finding } from '../domain/plan.ts';
import type { TwilioUser } from '../domain/user.ts';
import type { Links } from './correlate.ts';
import type { Draft } from './draft.ts';

export interface Ordered {
  /** Drafts whose addresses are free or will be, with `after` set, and with intermediate steps added. */
  readonly drafts: readonly Draft[];
  /** Of people whose wished address will not be free. */
  readonly findings: readonly Finding[];
}

/** An operation that sets an address, with the draft it comes from. */
interface Wish {
  readonly draft: Draft;
  readonly operation: Extract<Operation, { changes: unknown }>;
  readonly address: Email;
  readonly holder: TwilioUser | undefined;
  state: 'unknown' | 'visiting' | 'free' | 'stuck';
}

export function orderAddresses(
  drafts: readonly Draft[],
  byAddress: ReadonlyMap<Email, TwilioUser>,
  links: Links,
): Ordered {
  const wishes = drafts.flatMap((draft) => wishOf(draft, byAddress));
  const byMover = new Map<UserSid, Wish>();
  for (const wish of wishes) if (wish.draft.user !== undefined) byMover.set(wish.draft.user, wish);
  const holderOf = (wish: Wish) => (wish.holder === undefined ? undefined : byMover.get(wish.holder.sid));

  const after = new Map<string, string>();
  const detours = new Map<Draft, WriteOperation>();
  for (const wish of wishes) settle(wish);
  const stuck = wishes.filter((wish) => wish.state === 'stuck');
  const dropped = new Set(stuck.map((wish) => wish.draft));
  return {
    drafts: drafts.filter((draft) => !dropped.has(draft)).map(amend),
    findings: stuck.map((wish) => stuckFinding(wish, links)),
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

  /** The member with the smallest externalId makes way, so that the plan is the same for any order of the input. */
  function closeRing(ring: readonly Wish[]): void {
    const [first] = [...ring].sort((a, b) => compareStrings(a.draft.externalId, b.draft.externalId));
    for (const wish of ring) {
      const next = holderOf(wish);
      wish.state = 'free';
      if (next !== undefined) after.set(wish.operation.id, next.operation.id);
      if (first !== undefined && next === first) after.set(wish.operation.id, detourOf(first).id);
    }
  }

  function detourOf(wish: Wish): WriteOperation {
    const { draft, operation } = wish;
    const detour: WriteOperation = {
      kind: 'update',
      id: `update ${draft.externalId} makes-way`,
      externalId: draft.externalId,
      userName: draft.userName,
      reason: 'makes-way',
      user: draft.user as UserSid,
      changes: operation.changes
        .filter(({ attribute }) => attribute === 'userName')
        .map((change) => ({ ...change, after: intermediate(change.before ?? '', draft.externalId) })),
      activate: false,
    };
    detours.set(draft, detour);
    return detour;
  }

  function amend(draft: Draft): Draft {
    const detour = detours.get(draft);
    const operations = draft.operations.map((operation) => {
      const before = after.get(operation.id);
      return before === undefined ? operation : { ...operation, after: before };
    });
    return { ...draft, operations: detour ? [detour, ...operations] : operations };
  }
}

function wishOf(draft: Draft, byAddress: ReadonlyMap<Email, TwilioUser>): Wish[] {
  for (const operation of draft.operations) {
    if (!('changes' in operation)) continue;
    const change = operation.changes.find(({ attribute }) => attribute === 'userName');
    if (change === undefined) return [];
    const address = normalizeEmail(change.after);
    const holder = byAddress.get(address);
    return [{ draft, operation, address, holder: holder?.sid === draft.user ? undefined : holder, state: 'unknown' }];
  }
  return [];
}

/** An address of the same mailbox (RFC 5233 subaddressing) that nobody has. */
function intermediate(address: string, externalId: string): string {
  const at = address.lastIndexOf('@');
  const tag = `+tdsync-${createHash('sha256').update(externalId).digest('hex').slice(0, 8)}`;
  const domain = address.slice(at);
  return `${address.slice(0, Math.min(at, 160 - tag.length - domain.length))}${tag}${domain}`;
}

function stuckFinding({ draft, holder, address }: Wish, links: Links): Finding {
  const { externalId, user, userName } = draft;
  const owner = holder && links.byUser.get(holder.sid);
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
        message: `the address ${address} still belongs in Twilio to ${holder?.sid}, managed as ${owner}; decide what becomes of that person before ${externalId} gets it`,
      };
}
