/** The candidate that somebody who typed `typed` most likely meant; undefined when none is close. */
export function suggest(typed: string, candidates: readonly string[]): string | undefined {
  const wanted = fold(typed);
  let best: string | undefined;
  // One slip in a short word, a third of the letters in a long one.
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const folded = fold(candidate);
    const distance = folded === wanted || lastPart(folded) === wanted ? 0 : editDistance(wanted, folded);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Letter case and word separators are what people mix up most: `client_id` and `clientID` mean `clientId`. */
function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}

/** `givenname` means `name.givenName`. */
function lastPart(word: string): string {
  return word.slice(word.lastIndexOf('.') + 1);
}

/** Levenshtein distance in which two neighbouring letters changed over count as one slip. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
