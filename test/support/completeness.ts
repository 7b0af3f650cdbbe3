/**
 * What can keep a directory from being read to its end, as data: each way to fail × each point of a read at which it can happen. A
 * scripted server plays them all; a new point needs one line in `points`.
 */
import type { Reply, SeenSearch } from './ldap-server.ts';

export const scriptedUsers = 'ou=people,dc=corp,dc=example';
export const scriptedGroups = 'ou=groups,dc=corp,dc=example';
export const scriptedBindDn = 'cn=sync,dc=corp,dc=example';

/** A way to fail: what the server says in place of the rest of its answer. */
export interface Failure {
  readonly name: string;
  /** Undefined where a connection is lost. */
  readonly code?: number;
  readonly replies: readonly Reply[];
  /** What the message has of it. */
  readonly says: string;
}

const result = (code: number, name: string): Failure => ({
  name: `${name} (${code})`,
  code,
  replies: [{ done: { code, message: 'as scripted', ...(code === 10 && { referrals: ['ldap://other.example/'] }) } }],
  says: `${name} (${code}): as scripted`,
});

export const failures: readonly Failure[] = [
  result(3, 'timeLimitExceeded'),
  result(4, 'sizeLimitExceeded'),
  result(8, 'strongerAuthRequired'),
  result(10, 'referral'),
  result(11, 'adminLimitExceeded'),
  result(51, 'busy'),
  result(52, 'unavailable'),
  result(53, 'unwillingToPerform'),
  { name: 'orderly end of the connection', replies: ['end'], says: 'the server closed the connection' },
  { name: 'reset of the connection', replies: ['reset'], says: 'the connection broke' },
  {
    name: 'silence until the time-out',
    replies: ['silence'],
    says: 'the server did not finish its answer within 100 ms',
  },
  {
    name: 'notice of disconnection',
    replies: [{ notice: { code: 52, message: 'shutting down' } }, 'end'],
    says: 'after saying unavailable (52): shutting down',
  },
];

/** A point of the read. `before`: what the server still says there before it fails. */
export interface Point {
  readonly name: string;
  /** The search at which it fails, or the bind. `values`: more values of a group, which came with its second page. */
  readonly at: 'bind' | { readonly what: 'groups' | 'users'; readonly page: number | 'values' };
  readonly before: readonly Reply[];
  /** Where a server that hangs up does so at the end of the answer before, so that it is noticed here. */
  readonly afterAnswer?: true;
  /** How the message tells the place. */
  readonly says: string;
}

function entry(uid: string, attributes: Readonly<Record<string, readonly string[]>>): Reply {
  const mail = `${uid}@corp.example`;
  return {
    entry: `uid=${uid},${scriptedUsers}`,
    attributes: {
      entryUUID: [`id-${uid}`],
      uid: [uid],
      mail: [mail],
      cn: [`Person ${uid}`],
      givenName: ['Given'],
      sn: ['Family'],
      ...attributes,
    },
  };
}

const members = ['u1', 'u2'].map((uid) => `uid=${uid},${scriptedUsers}`);

function group(name: string, values: Readonly<Record<string, readonly string[]>>): Reply {
  return { entry: `cn=${name},${scriptedGroups}`, attributes: { cn: [name], ...values } };
}

/** The second one is too large to come at once. */
const groups: readonly (readonly Reply[])[] = [
  [group('developers', { member: members })],
  [group('operators', { 'member;range=0-0': members.slice(0, 1) })],
];
const restOfValues: readonly Reply[] = [group('operators', { 'member;range=0-*': members }), { done: {} }];
/** The third page is empty, and has a cookie. */
const users: readonly (readonly Reply[])[] = [['u1', 'u2'], ['u3', 'u4'], [], ['u5'], ['u6']].map((page) =>
  page.map((uid) => entry(uid, {})),
);

const inGroups = (page: number | 'values') => ({ at: { what: 'groups' as const, page } });
const inUsers = (page: number) => ({ at: { what: 'users' as const, page } });

export const points: readonly Point[] = [
  { name: 'bind', at: 'bind', before: [], says: '' },
  { name: 'first page of groups, before anything', ...inGroups(1), before: [], says: 'on page 1 after 0 entries' },
  { name: 'first page of groups', ...inGroups(1), before: groups[0] ?? [], says: 'on page 1 after 1 entry' },
  { name: 'last page of groups', ...inGroups(2), before: [], says: 'on page 2 after 1 entry' },
  { name: 'values of a large group', ...inGroups('values'), before: [], says: 'on page 2 after 2 entries' },
  { name: 'between groups and users', ...inUsers(1), before: [], afterAnswer: true, says: 'on page 1 after 0 entries' },
  { name: 'first page of users', ...inUsers(1), before: (users[0] ?? []).slice(0, 1), says: 'on page 1 after 1 entry' },
  {
    name: 'middle page of users',
    ...inUsers(2),
    before: (users[1] ?? []).slice(0, 1),
    says: 'on page 2 after 3 entries',
  },
  { name: 'empty page with a cookie', ...inUsers(3), before: [], says: 'on page 3 after 4 entries' },
  { name: 'after an empty page', ...inUsers(4), before: [], says: 'on page 4 after 4 entries' },
  { name: 'last page of users', ...inUsers(5), before: users[4] ?? [], says: 'on page 5 after 6 entries' },
];

function hangsUp({ replies }: Failure): boolean {
  return replies.includes('end') || replies.includes('reset');
}

/** What the server says to a search while `failure` awaits it at `point`; without them, a page of a whole directory. */
export function answer(search: SeenSearch, point?: Point, failure?: Failure): readonly Reply[] {
  const asksForValues = search.base.startsWith('cn=operators');
  const what = search.base === scriptedGroups || asksForValues ? 'groups' : 'users';
  const page = asksForValues ? 'values' : Number(search.cookie || '1');
  const content = what === 'groups' ? groups : users;
  const isLast = page === content.length;
  const whole: readonly Reply[] =
    page === 'values'
      ? restOfValues
      : [...(content[page - 1] ?? []), { done: { cookie: isLast ? '' : String(page + 1) } }];
  if (point === undefined || failure === undefined || point.at === 'bind') return whole;
  if (point.afterAnswer === true && hangsUp(failure)) {
    return page === 'values' ? [...whole, ...failure.replies] : whole;
  }
  return point.at.what === what && point.at.page === page ? [...point.before, ...failure.replies] : whole;
}
