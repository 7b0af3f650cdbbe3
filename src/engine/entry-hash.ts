import type { Entry } from '../domain/entry.ts';

/**
 * A number below 2^52 that almost surely differs when an entry says something else, or is another one: two FNV-1a hashes side by
 * side, because a cryptographic one costs a hundred thousand calls. Only for not keeping again what is kept; nothing is decided by it.
 */
export function hashEntry({ id, attributes, groups, location, disabled, problem }: Entry): number {
  let high = 0x811c9dc5;
  let low = 0x050c5d1f;
  const add = (text: string) => {
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low ^ code, 0x01000197);
    }
    high = Math.imul(high ^ 0x1f, 0x01000193);
    low = Math.imul(low ^ 0x1f, 0x01000197);
  };
  add(id);
  for (const name in attributes) {
    const value = attributes[name];
    add(name);
    if (typeof value === 'string') add(value);
    else for (const each of value ?? []) add(each);
  }
  for (const group of groups) add(group);
  add(location);
  if (disabled === true) add('disabled');
  if (problem !== undefined) add(problem);
  return (high >>> 6) * 0x4000000 + (low >>> 6);
}
