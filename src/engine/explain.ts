/** Why one entry becomes what it becomes: what each rule of the configuration says about it. */
import type { Entry } from '../domain/entry.ts';
import type { Answer, ExplainedAttribute, ExplainedRule, Explanation } from '../domain/explanation.ts';
import type { RoleRule, Rules, ValueRule } from '../domain/rules.ts';
import { textAttributes } from '../domain/user.ts';
import type { CompiledRules } from './compile.ts';
import { conjuncts } from './conjunction.ts';
import type { Entitlements } from './entitlements.ts';
import { attributeOf, compileExpression, ExpressionError } from './expression.ts';

export function explain(rules: Rules, compiled: CompiledRules, entitlements: Entitlements, entry: Entry): Explanation {
  return {
    used: usedBy(compiled, entry),
    filter: explainFilter(rules.filter, entry),
    attributes: explainAttributes(rules, compiled, entry),
    rules: rules.roles.map((rule, index) => explainRule(rule, index, entitlements, entry)),
  };
}

/** The values that the rules ask for. */
export function usedBy({ demand }: CompiledRules, { attributes }: Entry): Explanation['used'] {
  if (demand.attributes === 'all') return attributes;
  return Object.fromEntries(demand.attributes.map((name) => [name, attributeOf(attributes, name)]));
}

function explainFilter(filter: string | undefined, entry: Entry): Explanation['filter'] {
  if (filter === undefined) return { answer: true, parts: [] };
  const parts = conjuncts(filter).map((text) => ({ text, answer: ask(text, entry) }));
  return { answer: ask(filter, entry), parts: parts.length > 1 ? parts : [] };
}

function ask(text: string, entry: Entry): Answer {
  try {
    const value = compileExpression(text, 'bool').evaluate(entry.attributes, entry.groups);
    return typeof value === 'boolean' ? value : { problem: `yields ${typeof value}, not true or false` };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { problem: error.message };
  }
}

function explainAttributes(rules: Rules, { mapping }: CompiledRules, entry: Entry): readonly ExplainedAttribute[] {
  const mapped = mapping.map(entry);
  const problems = 'invalid' in mapped ? mapped.invalid : [];
  const problemOf = (attribute: string) => problems.find((each) => new RegExp(`^${attribute}\\b`).test(each));
  const explained = textAttributes.flatMap((attribute): ExplainedAttribute[] => {
    const rule = rules.attributes[attribute];
    if (rule === undefined) return [];
    const problem = problemOf(attribute);
    const value = 'attributes' in mapped ? mapped.attributes[attribute] || undefined : undefined;
    return [{ attribute, rule: ruleText(rule), value, ...(problem !== undefined && { problem }) }];
  });
  const active = 'active' in mapped ? String(mapped.active) : undefined;
  const problem = problemOf('active');
  const rule = [
    ...(entry.disabled === true ? ['disabled in the source'] : []),
    ...(rules.attributes.active === undefined ? [] : [ruleText(rules.attributes.active)]),
  ];
  const activity = { attribute: 'active', rule: rule.join(' and '), value: active } as const;
  return [...explained, { ...activity, ...(problem !== undefined && { problem }) }];
}

function ruleText(rule: ValueRule): string {
  return 'attribute' in rule ? rule.attribute : `= ${rule.expression}`;
}

function explainRule(
  { group, when }: RoleRule,
  index: number,
  { rules, nameOf }: Entitlements,
  entry: Entry,
): ExplainedRule {
  const isMember = group === undefined || entry.groups.includes(group);
  const answer = when === undefined ? true : ask(when, entry);
  const applies = isMember && answer === true;
  return {
    rule: index + 1,
    group,
    when,
    applies,
    via: group !== undefined && isMember ? (entry.groupPaths?.to(group) ?? []) : [],
    grants: (rules[index] ?? []).map(nameOf),
    ...(!applies && { because: whyNot(group, isMember, when, answer) }),
  };
}

function whyNot(group: string | undefined, isMember: boolean, when: string | undefined, answer: Answer): string {
  if (!isMember) return `no member of ${group}`;
  return typeof answer === 'object' ? `${when}: ${answer.problem}` : `${when} is false`;
}
