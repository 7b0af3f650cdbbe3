/** A system that has nothing to do is as fresh as one that is busy: only the age of the last good run counts. Times in milliseconds. */
export function freshness(
  lastGoodRunAt: number | undefined,
  now: number,
  maxAgeMs: number,
): { readonly stale: boolean; readonly reason?: string } {
  if (lastGoodRunAt === undefined) return { stale: true, reason: 'there was no good run yet' };
  // A run that ended in the future did so while the clock was wrong, and says nothing of how things are.
  if (lastGoodRunAt - now > maxAgeMs) return { stale: true, reason: 'the last good run ended in the future' };
  if (now - lastGoodRunAt <= maxAgeMs) return { stale: false };
  const minutes = Math.floor((now - lastGoodRunAt) / 60_000);
  return { stale: true, reason: `the last good run ended ${minutes} minutes ago` };
}
