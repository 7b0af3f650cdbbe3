/** Keeps CEL within bounds that the data cannot stretch: what is written in the configuration decides how long it takes. */
import type { ASTNode } from '@marcbachmann/cel-js';
import { RE2JS, RE2JSException } from 're2js';

/** Stands in for CEL's own `matches`, which goes by JavaScript's RegExp and can take for ever. */
export const boundedMatches = 'matchesInBounds';

const patterns = new Map<string, RE2JS>();

export function matchesInBounds(text: string, pattern: string): boolean {
  const known = patterns.get(pattern) ?? RE2JS.compile(pattern);
  patterns.set(pattern, known);
  return known.test(text);
}

const loops = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);
/** A loop within a loop over a thousand groups takes a million steps; one more would take a billion. */
const deepestLoops = 2;

/** Lets `matches` be the bounded one. Says what cannot be bounded, as a clause; undefined when all is. */
export function restrain(node: ASTNode): string | undefined {
  return walk(node, 0);
}

function walk(node: ASTNode, depth: number): string | undefined {
  if (node.op !== 'rcall') return first(childrenOf(node.args), depth);
  const [name, receiver, args] = node.args;
  if (loops.has(name)) {
    if (depth === deepestLoops) return `${name}() stands within ${deepestLoops} other loops, which could take for ever`;
    return walk(receiver, depth) ?? first(args, depth + 1);
  }
  if (name === 'matches' && args.length === 1) {
    const problem = patternProblem(args[0]);
    if (problem !== undefined) return `matches(): ${problem}`;
    node.args[0] = boundedMatches;
  }
  return walk(receiver, depth) ?? first(args, depth);
}

function patternProblem(node: ASTNode | undefined): string | undefined {
  const pattern: unknown = node?.op === 'value' ? node.args : undefined;
  if (typeof pattern !== 'string') return 'the pattern must stand in quotes, and not come with the data';
  try {
    patterns.set(pattern, RE2JS.compile(pattern));
    return undefined;
  } catch (error) {
    if (error instanceof RE2JSException) return `"${pattern}": ${error.message}`;
    throw error;
  }
}

function first(nodes: readonly ASTNode[], depth: number): string | undefined {
  for (const node of nodes) {
    const problem = walk(node, depth);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The parts of a node of the syntax tree, whatever their arrangement. */
export function childrenOf(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf);
  return isNode(args) ? [args] : [];
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}
