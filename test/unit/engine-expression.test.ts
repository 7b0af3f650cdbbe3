import { expect, test } from 'vitest';
import type { AttributeValue } from '../../src/domain/entry.ts';
import { compileRules } from '../../src/engine/compile.ts';
import { compileExpression } from '../../src/engine/expression.ts';
import { entry, mainAccount, rules } from '../support/builders.ts';

type Attributes = Readonly<Record<string, AttributeValue>>;

function ask(text: string, attributes: Attributes = {}, groups: readonly string[] = []): unknown {
  return compileExpression(text, 'bool or string').evaluate(attributes, groups);
}

test.each<[string, Attributes, readonly string[], unknown]>([
  ['entry.kind != "contractor"', { kind: 'employee' }, [], true],
  ['entry["kind"] == "employee"', { kind: 'employee' }, [], true],
  ['"a" in groups', {}, ['a', 'b'], true],
  ['"a" in groups', {}, ['b'], false],
  ['groups.exists(g, g.startsWith("twilio-"))', {}, ['twilio-users'], true],
  ['entry.a + " " + entry.b', { a: 'x', b: 'y' }, [], 'x y'],
  ['first(entry.mail)', { mail: ['x', 'y'] }, [], 'x'],
  ['first(entry.mail)', { mail: 'x' }, [], 'x'],
  ['first(entry.mail)', {}, [], ''],
  ['values(entry.mail).exists(m, m.endsWith("@corp.example"))', { mail: ['x@y', 'x@corp.example'] }, [], true],
  ['values(entry.mail).exists(m, m == "")', {}, [], false],
  ['size(values(entry.mail)) == 1', { mail: 'x' }, [], true],
  ['entry.level == "3" ? "senior" : "junior"', { level: '3' }, [], 'senior'],
  ['int(entry.level) > 2', { level: '3' }, [], true],
  ['entry["le" + "vel"] == "3"', { level: '3' }, [], true],
])('%s', (text, attributes, groups, result) => {
  expect(ask(text, attributes, groups)).toBe(result);
});

test('an absent attribute is the empty string, also after an entry that had it', () => {
  const expression = compileExpression('entry.kind == ""', 'bool');

  expect(expression.evaluate({ kind: 'x' }, [])).toBe(false);
  expect(expression.evaluate({}, [])).toBe(true);
});

test('an absent attribute that is read by a computed name is an error', () => {
  expect(() => ask('entry["a" + "b"] == ""')).toThrow('No such key: ab');
});

test.each([
  ['entry.a ==', /Unexpected token/],
  ['people.a == "x"', /Unknown variable: people/],
  ['nothing(entry.a)', /nothing/],
  ['1 + 1', /yields int, but bool or string is needed/],
  ['groups', /yields list<string>/],
  ['has(entry.a)', /has\(\) is not needed.*compare with ""/],
  ['entry.a == "x" || has(entry.b)', /has\(\)/],
])('%s is refused when compiled, in one line', (text, message) => {
  expect(() => compileExpression(text, 'bool or string')).toThrow(message);
  expect(() => compileExpression(text, 'bool or string')).toThrow(/^[^\n]+$/);
});

test('a condition may not be a text', () => {
  expect(() => compileExpression('"yes"', 'bool')).toThrow('yields string, but bool is needed');
});

test('values that do not fit are an error of the entry, in one line', () => {
  expect(() => ask('entry.a.contains("x")', { a: ['x'] })).toThrow(/^[^\n]+$/);
  expect(() => ask('entry.n > 3', { n: '5' })).toThrow(/no such overload/);
});

test('what an expression reads is known before it is asked', () => {
  const expression = compileExpression('entry.a == "x" && entry["b"] == "y" || "g" in groups', 'bool');

  expect(expression).toMatchObject({ attributes: ['a', 'b'], groups: ['g'], allGroups: false });
});

test('an attribute by a computed name asks for all of them, and groups in any other way ask for every group', () => {
  expect(compileExpression('entry["a" + entry.b] == ""', 'bool').attributes).toBe('all');
  expect(compileExpression('"a" in entry', 'bool').attributes).toBe('all');
  expect(compileExpression('size(groups) > 1', 'bool').allGroups).toBe(true);
  expect(compileExpression('entry.team in groups', 'bool')).toMatchObject({ allGroups: true, attributes: ['team'] });
});

test('the demand is what filter, mapping and role rules read together', () => {
  const { compiled } = compileRules(
    rules({
      filter: 'entry.kind != "x" && "staff" in groups',
      roles: [
        { group: 'developers', grants: [] },
        { when: 'entry.level == "3" && !("interns" in groups)', grants: [] },
      ],
    }),
  );

  expect(compiled.demand).toEqual({
    attributes: ['disabled', 'givenName', 'kind', 'level', 'mail', 'sn'],
    address: ['mail'],
    groups: ['developers', 'interns', 'staff'],
    allGroups: false,
  });
});

test('one expression that reads by a computed name makes the whole demand open', () => {
  const { compiled } = compileRules(rules({ filter: 'entry[entry.which] == "x" && groups.exists(g, g == "a")' }));

  expect(compiled.demand).toMatchObject({ attributes: 'all', allGroups: true });
});

test('everything that is wrong with the rules is reported at once, by its key', () => {
  const { issues } = compileRules(
    rules({
      filter: 'entry.a +',
      attributes: { userName: { attribute: 'mail' }, displayName: { expression: 'has(entry.cn)' } },
      roles: [
        { group: 'x', grants: [] },
        { when: 'entry', grants: [{ role: 'Developer', scope: mainAccount }] },
      ],
    }),
  );

  expect(issues.map(({ path }) => path)).toEqual(['filter', 'attributes.displayName', 'roles[1].when']);
});

test('a rule with group and condition applies when both hold, and says both', () => {
  const { compiled } = compileRules(
    rules({ roles: [{ group: 'developers', when: 'entry.level == "3"', grants: [] }] }),
  );
  const applied = (level: string, groups: readonly string[]) => {
    const reasons: string[] = [];
    compiled.entitle(entry('ann', { level }, groups), (_rule, because) => reasons.push(because));
    return reasons;
  };

  expect(applied('3', ['developers'])).toEqual(['developers and entry.level == "3"']);
  expect(applied('2', ['developers'])).toEqual([]);
  expect(applied('3', [])).toEqual([]);
});

test('a condition whose value is no truth value is an error, not false', () => {
  const { compiled } = compileRules(rules({ filter: 'entry.flag' }));

  expect(() => compiled.inScope(entry('ann', { flag: 'true' }))).toThrow('yields string, not true or false');
});
