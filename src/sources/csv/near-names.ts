/** Which of the names that a file has somebody may have meant, or an export may have renamed. */

const MOST = 3;

/** Those of `names` that come near to `wanted`, nearest first: spelled alike, holding one another, or a few letters apart. */
export function nearNames(wanted: string, names: readonly string[]): readonly string[] {
  const target = likeness(wanted);
  return names
    .filter((name) => name !== '')
    .map((name) => ({ name, distance: distance(target, likeness(name)) }))
    .filter((candidate) => candidate.distance < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MOST)
    .map(({ name }) => name);
}

/** Equal for names that people take for the same: letter case, blanks and punctuation aside. */
export function likeness(name: string): string {
  const letters = name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
  return letters === '' ? name : letters;
}

/** Infinite for names that nobody would take for each other. */
function distance(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  // Two letters stand in many a word by chance.
  const holds = shorter > 2 && (a.includes(b) || b.includes(a));
  const edits = editDistance(a, b);
  const near = holds || edits <= Math.floor(Math.max(a.length, b.length) / 3);
  return near ? edits : Number.POSITIVE_INFINITY;
}

/** Levenshtein: insertions, deletions and exchanges of one letter. */
function editDistance(a: string, b: string): number {
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const kept = (last[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(kept, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    last = current;
  }
  return last[b.length] ?? 0;
}
