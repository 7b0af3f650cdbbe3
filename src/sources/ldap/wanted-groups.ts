import type { Demand } from '../../domain/entry.ts';
import { normalizeDn } from './dn.ts';
import { foldGroupName } from './group-diagnosis.ts';

export interface WantedGroups {
  /** Names to search for, without those that only differ in case. */
  readonly names: readonly string[];
  /** DNs that rules name, and their canonical forms. */
  readonly dns: readonly { readonly key: string; readonly spelling: string }[];
  /** Whether the group with this canonical DN was taken already. */
  hasSeen(key: string): boolean;
  /** Notes a group, and returns the names that its members carry; empty when nobody asked for it. */
  take(dn: string, key: string, groupNames: readonly string[]): readonly string[];
  /**
   * Names that members of a group carry that was only found as a part of another: when every name is wanted its own, but none by which
   * rules call the group that they mean.
   */
  takeNested(key: string, groupNames: readonly string[]): readonly string[];
  /** Whether a rule names the group itself. */
  isNamed(dn: string): boolean;
  /** What rules name and no group was. */
  missing(): readonly string[];
  /** Names that more than one group has, with the DNs of those groups. */
  ambiguous(): readonly { readonly name: string; readonly dns: readonly string[] }[];
}

/** Which groups are asked for, which have been found, and what their members' lists shall call them. */
export function createWantedGroups(demand: Demand): WantedGroups {
  const spellings = new Map<string, string[]>();
  const dns = new Map<string, string[]>();
  for (const spelling of demand.groups) {
    const dn = spelling.includes('=') ? normalizeDn(spelling) : undefined;
    const [map, key] = dn === undefined ? [spellings, foldGroupName(spelling)] : [dns, dn];
    map.set(key, [...(map.get(key) ?? []), spelling]);
  }
  const seen = new Set<string>();
  const found = new Map<string, string[]>();
  const named = new Set<string>();

  return {
    names: [...spellings.values()].map(([first = '']) => first),
    dns: [...dns].map(([key, [spelling = '']]) => ({ key, spelling })),
    hasSeen: (key: string) => seen.has(key),
    take(dn: string, key: string, groupNames: readonly string[]): readonly string[] {
      seen.add(key);
      const labels = new Set<string>(dns.get(key));
      for (const folded of new Set(groupNames.map(foldGroupName))) {
        const asked = spellings.get(folded);
        if (asked === undefined) continue;
        found.set(folded, [...(found.get(folded) ?? []), dn]);
        for (const spelling of asked) labels.add(spelling);
      }
      if (labels.size > 0) named.add(dn);
      if (demand.allGroups) for (const name of groupNames) labels.add(name.normalize('NFC'));
      return [...labels];
    },
    takeNested(key: string, groupNames: readonly string[]): readonly string[] {
      seen.add(key);
      return demand.allGroups ? groupNames.filter((name) => !spellings.has(foldGroupName(name))) : [];
    },
    isNamed: (dn: string) => named.has(dn),
    missing(): readonly string[] {
      const names = [...spellings].filter(([folded]) => !found.has(folded)).map(([, [first = '']]) => first);
      return [...names, ...[...dns].filter(([key]) => !seen.has(key)).map(([, [first = '']]) => first)];
    },
    ambiguous() {
      return [...found]
        .filter(([, holders]) => holders.length > 1)
        .map(([folded, holders]) => ({ name: spellings.get(folded)?.[0] ?? folded, dns: holders }));
    },
  };
}
