/**
 * How many requests may be under way at once. Twilio's 20429 means "too many concurrent requests", but servers answer it
 * for too many per second as well, so a number is blamed only where it was not seen to work.
 *
 *   a refusal of the nth request under way            says
 *   n was accepted ten times since its last refusal   nothing about n: the pace was too fast
 *   n was not, and it is 20429, or refused again      n is too many: one less from now on
 *     where the pace was thought to be right
 *   n is 1                                            nothing about n
 *
 * It grows when requests wait for a place: with each answer up to what was too many, and past that as a probe.
 */
export interface Concurrency {
  readonly allowed: number;
  /** `nth`: how many were under way with it when it started. `bound`: it had waited for a place. */
  accepted(nth: number, bound: boolean, mayProbe: boolean): void;
  /** True when there were too many. `suspect`: there is reason to think so. */
  refused(nth: number, suspect: boolean): boolean;
}

const proof = 10;

export function createConcurrency(ceiling: number): Concurrency {
  let allowed = ceiling;
  /** What was too many, less one. */
  let limit = ceiling;
  /** By n: how often at least n were under way and one was accepted, since n or less were refused. */
  const works = Array<number>(ceiling + 1).fill(0);
  return {
    get allowed() {
      return allowed;
    },
    accepted(nth, bound, mayProbe) {
      for (let n = 0; n <= nth; n++) works[n] = (works[n] ?? 0) + 1;
      if (nth > limit && (works[nth] ?? 0) >= proof) limit = ceiling;
      if (bound && nth >= allowed && allowed < ceiling && (allowed < limit || mayProbe)) allowed++;
    },
    refused(nth, suspect) {
      const proven = (works[nth] ?? 0) >= proof;
      works.fill(0, nth);
      if (nth === 1 || proven || !suspect) return false;
      allowed = Math.min(allowed, nth - 1);
      limit = allowed;
      return true;
    },
  };
}
