import type { Demand, Entry } from '../domain/entry.ts';
import { compareStrings } from '../domain/identity.ts';
import type { Rules } from '../domain/rules.ts';
import { compileExpression, type Expression, ExpressionError } from './expression.ts';
import { compileMapping, type Mapping } from './mapping.ts';

/** Something wrong in a rule, by the dotted key of the configuration. */
export interface RuleIssue {
  readonly path: string;
  readonly message: string;
}

/** The rules ready to be asked about entries. Role names are not resolved yet: that takes the organization's roles. */
export interface CompiledRules {
  readonly demand: Demand;
  /** Throws ExpressionError when the entry's values do not fit the filter. */
  inScope(entry: Entry): boolean;
  readonly mapping: Mapping;
  /**
   * Calls `onRule` with the index of each role rule that applies, why, and the groups on the way to the rule's, where there are any.
   * People with the same way share one list. Throws ExpressionError like the filter.
   */
  entitle(entry: Entry, onRule: (rule: number, because: string, via: readonly string[] | undefined) => void): void;
}

/** Compiles filter, mapping and role rules; collects everything that is wrong instead of stopping at the first. */
export function compileRules(rules: Rules): { compiled: CompiledRules; issues: readonly RuleIssue[] } {
  const issues: RuleIssue[] = [];
  const condition = (path: string, text: string | undefined): Expression | undefined => {
    if (text === undefined) return undefined;
    try {
      return compileExpression(text, 'bool');
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      issues.push({ path, message: error.message });
      return undefined;
    }
  };

  const filter = condition('filter', rules.filter);
  const mapping = compileMapping(rules.attributes, (key, message) => {
    issues.push({ path: `attributes.${key}`, message });
  });
  const roleRules = rules.roles.map((rule, index) => ({
    group: rule.group,
    when: condition(`roles[${index}].when`, rule.when),
    because: [rule.group, rule.when].filter((part) => part !== undefined).join(' and '),
  }));
  const conditions = [filter, ...roleRules.map((rule) => rule.when)].filter((each) => each !== undefined);

  return {
    issues,
    compiled: {
      demand: demandOf([...conditions, ...mapping.expressions], mapping, rules),
      inScope: (entry) => filter === undefined || isTrue(filter, entry),
      mapping,
      entitle(entry, onRule) {
        roleRules.forEach(({ group, when, because }, index) => {
          if (group !== undefined && !entry.groups.includes(group)) return;
          if (when !== undefined && !isTrue(when, entry)) return;
          const path = group === undefined ? undefined : entry.groupPaths?.to(group);
          onRule(index, because, path !== undefined && path.length > 1 ? path : undefined);
        });
      },
    },
  };
}

function isTrue(expression: Expression, entry: Entry): boolean {
  const value = expression.evaluate(entry.attributes, entry.groups);
  if (typeof value !== 'boolean') throw new ExpressionError(`yields ${typeof value}, not true or false`);
  return value;
}

function demandOf(expressions: readonly Expression[], mapping: Mapping, rules: Rules): Demand {
  const attributes = new Set(mapping.attributes);
  const groups = new Set(rules.roles.flatMap((rule) => rule.group ?? []));
  let all = false;
  for (const expression of expressions) {
    if (expression.attributes === 'all') all = true;
    else for (const name of expression.attributes) attributes.add(name);
    for (const group of expression.groups) groups.add(group);
  }
  return {
    attributes: all ? 'all' : [...attributes].sort(compareStrings),
    ...(mapping.address.length > 0 && { address: mapping.address }),
    groups: [...groups].sort(compareStrings),
    allGroups: expressions.some((expression) => expression.allGroups),
  };
}
