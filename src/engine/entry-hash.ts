import type { Entry } from '../domain/entry.ts';

/**
 * A number that almost surely differs when an entry says something else, from 0 up to 2^30 (FNV-1a, so small that it costs no
 * object). Only for not keeping again what is kept: nothing is decided by it.
 */
export function hashEntry({ attributes, groups, location, disabled, problem }: Entry): number {
  let hash = 0x811c9dc5;
  const add = (text: string) => {
    for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    hash = Math.imul(hash ^ 0x1f, 0x01000193);
  };
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
  return hash >>> 2;
}
