import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import type { AttributeValue } from '../domain/entry.ts';
import { compilePlain } from './plain-expression.ts';
import { boundedMatches, childrenOf, matchesInBounds, restrain } from './restraint.ts';

/**
 * CEL expressions of the configuration: compiled once, then asked for each entry.
 *
 * `entry` is a map of the source's attributes; `groups` the list of group names. An attribute that the entry
 * lacks is the empty string, so that no rule fails for want of a value; only one that is read by a computed name must exist.
 * Several values are a list; `values(x)` gives a list in every case and `first(x)` one text in every case.
 */
export interface Expression {
  readonly text: string;
  /** Throws ExpressionError when the values do not fit the expression. */
  evaluate(attributes: Readonly<Record<string, AttributeValue>>, groups: readonly string[]): unknown;
  /** Attributes read by a literal name; `all` when one is read by a computed name. */
  readonly attributes: readonly string[] | 'all';
  /** Groups tested as `"name" in groups`. */
  readonly groups: readonly string[];
  /** True when `groups` is used in any other way. */
  readonly allGroups: boolean;
}

/** The expression is wrong, or does not fit one entry's values. The message is one line. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

/** The tree is walked by functions that call themselves. */
const limits = { maxAstNodes: 5_000, maxDepth: 100 };

const environment = new Environment({ homogeneousAggregateLiterals: false, limits })
  .registerVariable('entry', 'map<string, dyn>')
  .registerVariable('groups', 'list<string>')
  .registerFunction('values(dyn): list<dyn>', (value: unknown) =>
    Array.isArray(value) ? value : value === '' ? [] : [value],
  )
  .registerFunction(`string.${boundedMatches}(string): bool`, matchesInBounds)
  .registerFunction('first(dyn): string', (value: unknown) => String(Array.isArray(value) ? (value[0] ?? '') : value));

/** Throws ExpressionError when the text is no CEL expression, names an unknown variable, or yields another type than wanted. */
export function compileExpression(text: string, wanted: 'bool' | 'string' | 'bool or string'): Expression {
  const program = parse(text);
  const unbounded = restrain(program.ast);
  if (unbounded !== undefined) throw new ExpressionError(unbounded);
  const checked = program.check();
  if (!checked.valid) throw new ExpressionError(firstLine(checked.error));
  const type = checked.type ?? 'dyn';
  if (type !== 'dyn' && !wanted.split(' or ').includes(type)) {
    throw new ExpressionError(`yields ${type}, but ${wanted} is needed`);
  }

  const use: Use = { attributes: new Set(), everyAttribute: false, groups: new Set(), allGroups: false };
  collect(program.ast, use);
  const names = [...use.attributes].sort();
  const scope: Record<string, unknown> = {};
  const plain = compilePlain(program.ast, attributeOf);
  return {
    text,
    attributes: use.everyAttribute ? 'all' : names,
    groups: [...use.groups].sort(),
    allGroups: use.allGroups,
    evaluate(attributes, groups) {
      const value = plain?.(attributes, groups);
      if (value !== undefined) return value;
      const entry = use.everyAttribute ? { ...attributes } : scope;
      for (const name of names) entry[name] = attributeOf(attributes, name);
      try {
        return program({ entry, groups });
      } catch (error) {
        throw new ExpressionError(firstLine(error));
      }
    },
  };
}

/** The empty string for an attribute that the entry lacks, whatever its name: `constructor` is no value of ours. */
export function attributeOf(attributes: Readonly<Record<string, AttributeValue>>, name: string): AttributeValue {
  return Object.hasOwn(attributes, name) ? (attributes[name] ?? '') : '';
}

function parse(text: string): ParseResult {
  try {
    return environment.parse(text);
  } catch (error) {
    throw new ExpressionError(firstLine(error));
  }
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split('\n', 1)[0] ?? message).replaceAll(boundedMatches, 'matches');
}

interface Use {
  readonly attributes: Set<string>;
  everyAttribute: boolean;
  readonly groups: Set<string>;
  allGroups: boolean;
}

/** Walks the syntax tree for what the expression reads of `entry` and `groups`. */
function collect(node: ASTNode, use: Use): void {
  switch (node.op) {
    case 'id':
      if (node.args === 'entry') use.everyAttribute = true;
      if (node.args === 'groups') use.allGroups = true;
      return;
    case '.':
      if (isVariable(node.args[0], 'entry')) use.attributes.add(node.args[1]);
      else collect(node.args[0], use);
      return;
    case '[]':
      if (isVariable(node.args[0], 'entry') && node.args[1].op === 'value') {
        use.attributes.add(String(node.args[1].args));
        return;
      }
      break;
    case 'in':
      if (isVariable(node.args[1], 'groups') && node.args[0].op === 'value') {
        use.groups.add(String(node.args[0].args));
        return;
      }
      break;
    case 'call':
      if (node.args[0] === 'has') {
        throw new ExpressionError('has() is not needed: an absent attribute is empty, so compare with ""');
      }
      break;
  }
  for (const child of childrenOf(node.args)) collect(child, use);
}

function isVariable(node: ASTNode, name: string): boolean {
  return node.op === 'id' && node.args === name;
}
