import { type DesiredUser, grantKey, type TextAttribute, type TwilioUser } from '../domain/user.ts';
import { isSame } from './diff.ts';
import type { Knowledge } from './people.ts';

/** True when nothing differs: most people, on most runs, and the cheapest way to say so. Says nothing of people who are not linked. */
export function isSettled(desired: DesiredUser, user: TwilioUser, knowledge: Knowledge): boolean {
  if (!user.active) return false;
  for (const attribute in desired.attributes) {
    const name = attribute as TextAttribute;
    const wanted = desired.attributes[name];
    if (wanted !== undefined && !isSame(name, wanted, user.attributes[name])) return false;
  }
  const held = knowledge.assignmentsOf(user.sid);
  if (held.length === 0) return desired.grants.length === 0;
  const keys = held.map(grantKey);
  const wanted = desired.grants.map(grantKey);
  const recorded = new Set<string>();
  for (const [index, assignment] of held.entries()) {
    const key = keys[index] ?? '';
    if (knowledge.recordOf(assignment.sid) !== undefined) recorded.add(key);
    if (!wanted.includes(key) && knowledge.isManaged(assignment)) return false;
  }
  return wanted.every((key) => recorded.has(key));
}
