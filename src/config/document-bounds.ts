/** What no file that a person writes comes near, and what a parser must not be given: it takes the square of it in time. */
import type { ConfigIssue } from '../errors.ts';

/** The configuration is five levels deep; each level takes two steps in the tree, and some of the stack. */
export const deepest = 100;
export const tooDeep = 'is nested too deeply';
/** As many as the library fills in. */
export const mostAliases = 100;

/** Brackets that are opened and not closed, those in texts included: few by accident, thousands by design. */
export function isAbsurdlyDeep(text: string): boolean {
  let open = 0;
  for (const character of text) {
    if (character === '[' || character === '{') open += 1;
    else if (character === ']' || character === '}') open -= 1;
    if (open > 10 * deepest) return true;
  }
  return false;
}

/** One wrong bracket can make every line wrong. */
const mostIssues = 50;

/** As many as somebody reads, and how many more there are. */
export function firstIssues(issues: readonly ConfigIssue[]): readonly ConfigIssue[] {
  if (issues.length <= mostIssues) return issues;
  const { file = '' } = issues[0] ?? {};
  const more = { path: '', message: `and ${issues.length - mostIssues} more mistakes`, file };
  return [...issues.slice(0, mostIssues), more];
}
