/** Random organizations, small and crowded, so that keys, addresses and grants meet in every way. */
import fc from 'fast-check';
import type { Entry } from '../../src/domain/entry.ts';
import type { ExternalId } from '../../src/domain/identity.ts';
import type { Policy } from '../../src/domain/rules.ts';
import type {
  Grant,
  GrantRecord,
  LastApplied,
  Link,
  RoleAssignment,
  TextAttributes,
  TwilioUser,
} from '../../src/domain/user.ts';
import {
  administrator,
  assignmentSid,
  developer,
  mainAccount,
  organization,
  otherAccount,
  rules,
  support,
  userSid,
} from './builders.ts';

export interface Organization {
  readonly policy: Policy;
  readonly entries: readonly Entry[];
  readonly users: readonly TwilioUser[];
  readonly links: readonly Link[];
  readonly assignments: readonly RoleAssignment[];
  readonly records: readonly GrantRecord[];
  readonly applied: Readonly<Record<string, LastApplied>>;
}

const ids = ['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6'];
const addresses = ids.map((id) => `${id}@corp.example`);

/** Two rules overlap; one grants in the organization; `support` in the other account is named by no rule. */
export const ruleset = rules({
  filter: 'entry.kind != "outside"',
  roles: [
    { group: 'developers', grants: [{ role: 'Developer', scope: mainAccount }] },
    {
      group: 'admins',
      grants: [
        { role: 'Developer', scope: mainAccount },
        { role: 'Administrator', scope: organization },
      ],
    },
    { when: 'entry.sn == "Lead"', grants: [{ role: 'Support', scope: 'Main' }] },
  ],
});

export const grants: readonly Grant[] = [
  { role: developer, scope: mainAccount },
  { role: administrator, scope: organization },
  { role: support, scope: mainAccount },
  { role: support, scope: otherAccount },
];

const text = fc.constantFrom('', 'Ann', 'Lead', 'Zoë');

const entry: fc.Arbitrary<Entry> = fc
  .record({
    id: fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...ids) }, { weight: 1, arbitrary: fc.constant('') }),
    mail: fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...addresses) },
      { weight: 1, arbitrary: fc.constantFrom('', 'no address', 'E0@Corp.example ') },
    ),
    givenName: text,
    sn: text,
    kind: fc.constantFrom('', '', '', '', 'outside'),
    disabled: fc.constantFrom('', '', '', '', 'yes'),
    groups: fc.subarray(['developers', 'admins', 'others']),
    standing: fc.constantFrom<Pick<Entry, 'disabled' | 'problem'>>(
      ...[{}, {}, {}, {}, {}, {}, {}, {}],
      { disabled: true },
      { problem: 'sn holds bytes that are no text' },
    ),
  })
  .map(({ id, groups, standing, ...attributes }) => ({
    id: id as ExternalId | '',
    attributes: Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== '')),
    groups,
    location: `people.csv (${id})`,
    ...standing,
  }));

/** Mostly a person per key and address, so that most plans are full of operations rather than of findings. */
const tidyEntries = fc
  .tuple(
    fc.shuffledSubarray(ids, { minLength: 2 }),
    fc.shuffledSubarray(addresses, { minLength: 7 }),
    fc.array(entry, { minLength: 7, maxLength: 7 }),
  )
  .map(([keys, mails, details]) =>
    keys.map((id, index): Entry => {
      const some = details[index];
      const attributes = { ...some?.attributes, mail: mails[index] ?? '' };
      return { groups: [], ...some, id: id as ExternalId, attributes, location: `people.csv (${id})` };
    }),
  );

export const entries: fc.Arbitrary<readonly Entry[]> = fc.oneof(
  { weight: 3, arbitrary: tidyEntries },
  { weight: 1, arbitrary: fc.array(entry, { maxLength: 8 }) },
);

const user = fc.record({
  active: fc.constantFrom(true, true, true, false),
  givenName: text,
  displayName: fc.constantFrom(undefined, 'Not ours'),
  key: fc.constantFrom('own', 'own', 'none', 'foreign'),
  linked: fc.constantFrom(true, true, false),
  recorded: fc.constantFrom('as returned', 'as returned', 'drifted', 'never'),
  grants: fc.subarray([...grants]),
  /** By grant: whether we made it, found it, or know nothing of it; of a grant that nobody holds: of one that is lost. */
  remembered: fc.array(fc.constantFrom('granted', 'granted', 'found', undefined), { minLength: 4, maxLength: 4 }),
});

type UserDetails = typeof user extends fc.Arbitrary<infer T> ? T : never;

export const policies: fc.Arbitrary<Policy> = fc.record({
  mode: fc.constantFrom('sync', 'sync', 'sync', 'upsert-only', 'create-only'),
  adoptExisting: fc.boolean(),
  leavers: fc.constantFrom('deactivate', 'deactivate', 'revoke-only', 'report'),
  confirmAbsence: fc.constantFrom(1, 1, 2),
  drift: fc.constantFrom('overwrite', 'overwrite', 'report'),
  protect: fc.constantFrom([], [], ['e0'], ['e1@corp.example'], [userSid(2)]),
  recreateGone: fc.boolean(),
});

export const organizations: fc.Arbitrary<Organization> = fc
  .record({
    policy: policies,
    entries,
    keys: fc.shuffledSubarray(ids, { minLength: 7 }),
    mails: fc.shuffledSubarray(addresses, { minLength: 7 }),
    details: fc.array(user, { minLength: 1, maxLength: 7 }),
    gone: fc.boolean(),
  })
  .map(({ policy: chosen, entries: read, keys, mails, details, gone }) => {
    const users = details.map((each, index) => userOf(each, index, keys, mails));
    const linked = details.flatMap((each, index) =>
      each.linked
        ? [{ externalId: keys[index] as ExternalId, user: userSid(index + 1), each, shown: users[index] }]
        : [],
    );
    const lost =
      gone && keys[details.length] !== undefined
        ? [{ externalId: keys[details.length] as ExternalId, user: userSid(99) }]
        : [];
    const assignments = details.flatMap((each, index) =>
      each.grants.map((grant, place) => ({
        sid: assignmentSid(index * 10 + place + 1),
        user: userSid(index + 1),
        ...grant,
      })),
    );
    return {
      policy: chosen,
      entries: read,
      users,
      links: [...linked.map(({ externalId, user: sid }) => ({ externalId, user: sid })), ...lost],
      assignments,
      records: details.flatMap((each, index) => recordsOf(each, index)),
      applied: Object.fromEntries(
        linked.flatMap(({ externalId, each, shown }) =>
          each.recorded === 'never' || !shown ? [] : [[externalId, recordOf(each, shown)]],
        ),
      ),
    };
  });

function userOf(each: UserDetails, index: number, keys: readonly string[], mails: readonly string[]): TwilioUser {
  const attributes: TextAttributes = {
    ...(each.givenName !== '' && { 'name.givenName': each.givenName }),
    ...(each.displayName !== undefined && { displayName: each.displayName }),
  };
  const key = each.key === 'own' ? keys[index] : each.key === 'foreign' ? `foreign-${index}` : undefined;
  return {
    sid: userSid(index + 1),
    externalId: key as ExternalId | undefined,
    attributes: { ...attributes, userName: mails[index] ?? '' },
    active: each.active,
    version: 'W/1',
  };
}

/** Of held grants the assignment that is there; of others, one that Twilio no longer shows: that is known of linked people alone. */
function recordsOf({ grants: held, remembered, linked }: UserDetails, index: number): GrantRecord[] {
  return grants.flatMap((grant, number) => {
    const origin = remembered[number];
    const place = held.indexOf(grant);
    const sid = place === -1 ? assignmentSid(900 + index * 10 + number) : assignmentSid(index * 10 + place + 1);
    return origin === undefined || (place === -1 && !linked)
      ? []
      : [{ sid, user: userSid(index + 1), ...grant, origin }];
  });
}

/** What we sent came back as sent; since then the user may have been changed in Twilio. */
function recordOf(each: UserDetails, { attributes, active }: TwilioUser): LastApplied {
  const { userName, 'name.givenName': givenName } = attributes;
  const sent = { userName, 'name.givenName': each.recorded === 'drifted' ? 'Before' : (givenName ?? 'Ann') };
  return { sent, returned: each.recorded === 'drifted' ? sent : attributes, active };
}
