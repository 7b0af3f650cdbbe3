/** What happens to an organization between runs: to the source, by hand in Twilio, to the policies, and by commands. */
import fc from 'fast-check';
import type { Entry } from '../../src/domain/entry.ts';
import { type ExternalId, normalizeEmail, type UserSid } from '../../src/domain/identity.ts';
import type { Policy, Rules } from '../../src/domain/rules.ts';
import { type Grant, grantKey, type TwilioUser } from '../../src/domain/user.ts';
import { compileRules } from '../../src/engine/compile.ts';
import { dryRunOnce, reconcileOnce } from '../../src/reconcile/reconcile.ts';
import type { Undone } from '../../src/reconcile/undo.ts';
import { entries, grants, type Organization, policies, ruleset } from './arbitrary-world.ts';
import { accounts, assignmentSid, mainAccount, userSid } from './builders.ts';
import { createWorld, type World } from './memory-world.ts';

/** `who` counts the users of Twilio, or the linked people, round and round. */
export type Event =
  | { readonly event: 'source'; readonly entries: readonly Entry[] }
  | { readonly event: 'policy'; readonly policy: Policy }
  | { readonly event: 'rules'; readonly count: number }
  | { readonly event: 'status'; readonly who: number }
  | { readonly event: 'name'; readonly who: number; readonly givenName: string }
  | { readonly event: 'address'; readonly who: number; readonly address: string }
  | { readonly event: 'assign'; readonly who: number; readonly grant: Grant }
  | { readonly event: 'unassign'; readonly who: number }
  | { readonly event: 'join'; readonly address: string }
  | { readonly event: 'erase'; readonly who: number }
  | { readonly event: 'release'; readonly who: number };

const who = fc.nat(9);
const address = fc.constantFrom(...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((index) => `e${index}@corp.example`));

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ event: fc.constant('source' as const), entries }) },
  { weight: 2, arbitrary: fc.record({ event: fc.constant('policy' as const), policy: policies }) },
  fc.record({ event: fc.constant('rules' as const), count: fc.nat(3) }),
  fc.record({ event: fc.constant('status' as const), who }),
  fc.record({ event: fc.constant('name' as const), who, givenName: fc.constantFrom('Ann', 'Other') }),
  fc.record({ event: fc.constant('address' as const), who, address }),
  fc.record({ event: fc.constant('assign' as const), who, grant: fc.constantFrom(...grants) }),
  fc.record({ event: fc.constant('unassign' as const), who }),
  fc.record({ event: fc.constant('join' as const), address }),
  fc.record({ event: fc.constant('erase' as const), who }),
  fc.record({ event: fc.constant('release' as const), who }),
);

/** What happens before each run, run by run. */
export const histories: fc.Arbitrary<readonly (readonly Event[])[]> = fc.array(
  fc.array(event, { minLength: 1, maxLength: 3 }),
  { minLength: 1, maxLength: 4 },
);

/** User number three owns an account. */
export const owner = userSid(3);

export interface Life {
  readonly world: World;
  rules: Rules;
}

export function begin({ policy, entries: read, ...state }: Organization, over: Partial<Rules> = {}): Life {
  const { users, assignments, links, records, applied } = state;
  const owned = accounts.map((account) => (account.sid === mainAccount ? { ...account, owner } : account));
  const world = createWorld({
    entries: read,
    twilio: { users, assignments, accounts: owned },
    snapshot: { links, records, applied },
  });
  return { world, rules: { ...ruleset, ...over, policy } };
}

/** Lets it happen, unless it cannot: nobody is there, or the address is taken. */
export function happen(life: Life, what: Event): void {
  const { world } = life;
  const { twilio, snapshot } = world;
  const users = [...twilio.users.values()];
  switch (what.event) {
    case 'source':
      world.entries = what.entries;
      return;
    case 'policy':
      life.rules = { ...life.rules, policy: what.policy };
      return;
    case 'rules':
      life.rules = { ...life.rules, roles: ruleset.roles.slice(0, what.count) };
      return;
    case 'release': {
      const linked = [...snapshot.links.keys()];
      const key = linked[what.who % linked.length];
      if (key !== undefined) snapshot.release(key);
      return;
    }
    case 'join': {
      if (isTaken(users, what.address)) return;
      const sid = userSid(0x2000 + twilio.users.size + twilio.writes.length * 100);
      const attributes = { userName: what.address };
      twilio.users.set(sid, { sid, externalId: undefined, attributes, active: true, version: 'W/1' });
      return;
    }
    default: {
      const user = users[what.who % users.length];
      if (user !== undefined) byHand(world, user, what);
    }
  }
}

type ByHand = Extract<Event, { event: 'status' | 'name' | 'address' | 'assign' | 'unassign' | 'erase' }>;

function byHand({ twilio }: World, user: TwilioUser, what: ByHand): void {
  const { users, assignments } = twilio;
  const held = [...assignments.values()].filter((each) => each.user === user.sid);
  switch (what.event) {
    case 'status':
      users.set(user.sid, { ...user, active: !user.active });
      return;
    case 'name':
      users.set(user.sid, { ...user, attributes: { ...user.attributes, 'name.givenName': what.givenName } });
      return;
    case 'address':
      if (isTaken([...users.values()], what.address)) return;
      users.set(user.sid, { ...user, attributes: { ...user.attributes, userName: what.address } });
      return;
    case 'assign': {
      if (held.some((each) => grantKey(each) === grantKey(what.grant))) return;
      const sid = assignmentSid(0x2000 + assignments.size + twilio.writes.length * 100);
      assignments.set(sid, { sid, user: user.sid, ...what.grant });
      return;
    }
    case 'unassign':
      for (const { sid } of held.slice(0, 1)) assignments.delete(sid);
      return;
    case 'erase':
      users.delete(user.sid);
      for (const { sid } of held) assignments.delete(sid);
  }
}

function isTaken(users: readonly TwilioUser[], wanted: string): boolean {
  return users.some(({ attributes }) => normalizeEmail(attributes.userName) === normalizeEmail(wanted));
}

const never = new AbortController().signal;
const start = { command: 'reconcile', version: '0.0.0', host: 'here', pid: 1, user: 'operator' };
/** Even an empty source: the guards are not what is looked at. */
const everything = new Map([['sourceShrink', Number.POSITIVE_INFINITY] as const]);

export function run(life: Life, over: { readonly undo?: Undone; readonly guarded?: true } = {}) {
  const { undo, guarded } = over;
  const options = { allowances: guarded ? new Map() : everything, start, ...(undo && { undo }) };
  return reconcileOnce(contextOf(life), options, never);
}

export function dryRun(life: Life) {
  return dryRunOnce(contextOf(life), { allowances: everything }, never);
}

const compiledRules = new Map<Rules['roles'], ReturnType<typeof compileRules>['compiled']>();

function contextOf({ world, rules }: Life) {
  const count = JSON.stringify(rules.roles) as never;
  const compiled = compiledRules.get(count) ?? compileRules(rules).compiled;
  compiledRules.set(count, compiled);
  return { ...world.context, rules, compiled };
}

/** Twilio as it stands, to be compared with later: each user with what it holds. */
export interface Standing {
  readonly user: TwilioUser;
  readonly grants: readonly string[];
}

export function standing({ world: { twilio } }: Life): ReadonlyMap<UserSid, Standing> {
  const grantsOf = new Map<UserSid, string[]>();
  for (const { user, ...grant } of twilio.assignments.values()) {
    grantsOf.set(user, [...(grantsOf.get(user) ?? []), grantKey(grant)]);
  }
  return new Map(
    [...twilio.users.values()].map((user) => [user.sid, { user, grants: (grantsOf.get(user.sid) ?? []).sort() }]),
  );
}

/** Why this user may never be changed, as a person would say it; undefined when it may. */
export function reservedFor({ world, rules }: Life, user: TwilioUser): string | undefined {
  const key: ExternalId | undefined = [...world.snapshot.links].find(([, sid]) => sid === user.sid)?.[0];
  const names: unknown[] = [key, user.sid, user.attributes.userName];
  if (rules.policy.protect.some((name) => names.includes(name))) return 'protected';
  if (world.snapshot.released.has(user.sid)) return 'released';
  if (user.sid === owner) return 'owner';
  return undefined;
}
