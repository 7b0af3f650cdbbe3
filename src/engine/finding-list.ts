import { compareStrings } from '../domain/identity.ts';
import type { Finding, FindingCode } from '../domain/plan.ts';

/** Findings of one kind beyond this number are counted, not listed: a million broken rows must not fill the memory. */
const listed = 1_000;

export interface FindingList {
  add(finding: Finding): void;
  /** Which ones stay listed does not depend on the order in which they were added. */
  finish(): readonly Finding[];
}

export function createFindingList(): FindingList {
  const kinds = new Map<FindingCode, { count: number; kept: Finding[] }>();

  return {
    add(finding) {
      const kind = kinds.get(finding.code) ?? { count: 0, kept: [] };
      kinds.set(finding.code, kind);
      kind.count++;
      kind.kept.push(finding);
      if (kind.kept.length >= 2 * listed) kind.kept = firstOf(kind.kept);
    },
    finish() {
      return [...kinds].flatMap(([code, { count, kept }]) =>
        count <= listed
          ? kept
          : [
              ...firstOf(kept),
              { code, externalId: '' as const, message: `and ${count - listed} more entries like these` },
            ],
      );
    },
  };
}

function firstOf(findings: readonly Finding[]): Finding[] {
  return sortFindings(findings).slice(0, listed);
}

/** By person, then code, then text. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      compareStrings(a.externalId, b.externalId) ||
      compareStrings(a.code, b.code) ||
      compareStrings(a.message, b.message) ||
      compareStrings(a.userName ?? '', b.userName ?? ''),
  );
}
