import { expect, test } from 'vitest';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import { digest } from '../../src/engine/digest.ts';
import { recordDigest } from '../../src/engine/parking.ts';
import { assignment, entry, lastApplied, link, rules, twilioUser } from '../support/builders.ts';
import { type Given, planFor } from '../support/planning.ts';

const given: Given = {
  rules: rules({ filter: 'entry.kind != "outside"', policy: { leavers: 'report' } }),
  entries: [
    entry('ann', {}, ['developers']),
    entry('bob'),
    entry('dup', { mail: 'one@corp.example' }),
    entry('bad', { mail: '' }),
  ],
  users: [twilioUser(1, 'ann'), twilioUser(2, 'bob'), twilioUser(3, 'old')],
  links: [link('ann', 1), link('old', 3)],
};

function digestOf(over: Partial<Given>): string {
  return planFor({ ...given, ...over }).plan.digest;
}

test('canonical JSON does not depend on the order of keys and leaves undefined out', () => {
  expect(canonicalJson({ b: 1, a: { d: undefined, c: [2, 1] } })).toBe('{"a":{"c":[2,1]},"b":1}');
  expect(digest({ a: 1, b: 2 })).toBe(digest({ b: 2, a: 1 }));
  expect(digest({ a: 1 })).toMatch(/^[0-9a-f]{64}$/);
});

test('the digest stays when an entry that is out of scope comes or goes', () => {
  const more = [entry('guest', { kind: 'outside' }), ...(given.entries ?? [])];

  expect(digestOf({ entries: more })).toBe(digestOf({}));
});

test('the digest stays when lines move in the file', () => {
  const moved = (given.entries ?? []).map((each) => ({ ...each, location: `people.csv:${each.location.length + 7}` }));

  expect(digestOf({ entries: moved })).toBe(digestOf({}));
});

test('the digest stays when an unmanaged user comes whom nobody in scope matches', () => {
  expect(digestOf({ users: [...(given.users ?? []), twilioUser(9, 'stranger')] })).toBe(digestOf({}));
});

test('the digest stays from one moment to the next', () => {
  expect(digestOf({ now: 86_400_000 })).toBe(digestOf({ now: 0 }));
});

test('the digest stays when somebody comes by the same group on another way, which the plan still tells', () => {
  const through = (...way: readonly string[]) => {
    const member = { ...entry('ann', {}, ['developers']), groupPaths: { to: () => way } };
    return planFor({ ...given, entries: [member], links: [] });
  };
  const viaOf = ({ plan }: ReturnType<typeof planFor>) =>
    plan.operations.map((operation) => (operation.kind === 'grant' ? operation.via : undefined));
  const direct = through('cn=developers');
  const [short, long] = [through('cn=a', 'cn=developers'), through('cn=b', 'cn=c', 'cn=developers')];
  const grants = [direct, short, long].map(({ plan }) => plan.operations.find(({ kind }) => kind === 'grant'));

  expect(new Set([direct, short, long].map(({ plan }) => plan.digest)).size).toBe(1);
  expect(viaOf(direct)).toEqual(viaOf(direct).map(() => undefined));
  expect(viaOf(short)).toContainEqual(['cn=a', 'cn=developers']);
  expect(viaOf(long)).toContainEqual(['cn=b', 'cn=c', 'cn=developers']);
  expect(new Set(grants.map((grant) => grant && recordDigest(grant))).size).toBe(1);
});

test.each<[string, Partial<Given>]>([
  ['somebody in scope changes', { entries: [...(given.entries ?? []), entry('ann2')] }],
  [
    'a linked user changes in Twilio',
    { users: [twilioUser(1, 'ann', { displayName: 'X' }), twilioUser(2, 'bob'), twilioUser(3, 'old')] },
  ],
  [
    'a linked user is stopped in Twilio',
    { users: [twilioUser(1, 'ann', { active: false }), twilioUser(2, 'bob'), twilioUser(3, 'old')] },
  ],
  ['a managed role is given in Twilio', { assignments: [assignment(1, 1)] }],
  ['a person gets a finding', { entries: [...(given.entries ?? []), entry('dup2', { mail: 'one@corp.example' })] }],
  [
    'the reason of a change is another',
    { applied: { ann: lastApplied({}, { active: false }) }, entries: [entry('ann', { givenName: 'X' })] },
  ],
])('the digest moves when %s', (_what, over) => {
  expect(digestOf(over)).not.toBe(digestOf({}));
});

test('the basis tells which side moved', () => {
  const before = planFor(given).plan.basis;
  const source = planFor({ ...given, entries: [entry('ann', { givenName: 'Anna' })] }).plan.basis;
  const twilio = planFor({ ...given, users: [twilioUser(1, 'ann', { active: false })] }).plan.basis;

  expect(source).toMatchObject({ configuration: before.configuration, twilio: before.twilio });
  expect(source.source).not.toBe(before.source);
  expect(twilio).toMatchObject({ configuration: before.configuration, source: before.source });
  expect(twilio.twilio).not.toBe(before.twilio);
});

test('a plan survives JSON', () => {
  const { plan } = planFor(given);

  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
});

test('a plan without operations has the digest of what was read, because a guard may refuse it for that alone', () => {
  const idle: Given = {
    rules: rules({ filter: 'entry.kind != "outside"' }),
    entries: [entry('ann'), entry('guest', { kind: 'outside' })],
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
  };
  const first = planFor(idle).plan;

  expect(first.operations).toEqual([]);
  expect(planFor({ ...idle, entries: [entry('ann')] }).plan.digest).not.toBe(first.digest);
  expect(planFor({ ...idle, users: [...(idle.users ?? []), twilioUser(9, 'kim')] }).plan.digest).toBe(first.digest);
});

test('of people gone in one domain the digest is not that of as many gone in another, or of more', () => {
  const gone = (domain: string, count: number) => {
    const ids = Array.from({ length: count }, (_, index) => `p${index}`);
    const entries = ids.map((id) => entry(id, { mail: `${id}@${domain}` }));
    return planFor({ entries, links: ids.map((id, index) => link(id, index + 1)) }).plan.digest;
  };

  expect(new Set([gone('a.example', 6), gone('a.example', 7), gone('b.example', 6)]).size).toBe(3);
});
