/**
 * How fast requests may follow one another, found out from what the server refuses: additive increase and multiplicative
 * decrease, as TCP does it, with CUBIC's idea (RFC 9438) that the last limit found is remembered: up to near it quickly,
 * there for long, beyond it slowly. Nothing is assumed about how the server counts: by fixed or sliding windows of any
 * length, or by a bucket of tokens.
 *
 *   the pace is                        an answer makes it                  a refusal shows that the limit is
 *   free: nothing refused so far       free                                not known: look for it from half of what went through
 *   looking for the limit              faster, by 30 % in a second         what went through in the last second
 *   below 96 % of the limit            faster, up to twice in a second     what went through, when on its way up to a new
 *                                                                          limit; else as in the last line
 *   at 96 % of the limit               the same, until a probe is paid for 96 % of what went through
 *   beyond: a probe                    faster, by 4 % in a second; by 30 % what went through
 *                                      where it is clear that the limit rose
 *   refused again soon after           -                                   too high still: 90 % of what went through, then
 *                                                                          80 %, but not less than what was proven before the
 *                                                                          probe, nor than the average since the last refusal,
 *                                                                          which no way of counting lets pass the limit
 *
 * Each refusal halves what went through, or takes 30 % off where a probe was refused; the way back up is short. "What went
 * through" is the steady pace of a second ago, or the count of that second, because during a fast rise the present pace says
 * little. Growth is by requests as well as by time: one request in a second is found out about by as few refusals as a
 * hundred. It takes requests that had to wait for the pace: what was not tried was not learned.
 */
export interface Pace {
  /** Starts per second, at most the ceiling; undefined as long as nothing was refused. */
  readonly rate: number | undefined;
  /**
   * The server took a request that had started at `startedAt`. `bound`: it had waited for the pace. `mayProbe`: the pace may
   * pass what is known to work.
   */
  accepted(startedAt: number, bound: boolean, mayProbe: boolean): void;
  /**
   * The first refusal of a burst. `crowded`: there were too many at once, so that it says nothing about the limit. True when
   * it was to be expected, because the pace was beyond what is known to work.
   */
  refused(startedAt: number, now: number, crowded: boolean): boolean;
}

/** Of the limit found. What is above is room for the jitter of timers and of the network. */
const nearly = 0.96;
/** Where a probe was refused, the limit is known to be near. */
const decrease = { surprised: 0.5, probed: 0.7 };
/** Growth per request, and per second. */
const step = { request: 0.1, lookingPerSecond: 0.3, returningPerSecond: 1 };
const probe = { request: 0.005, perSecond: 0.04, clearBeyond: 1.12 };
/** A refusal within so many requests of the last, or so short a time, says that the limit was taken for too high. */
const soon = { requests: 60, ms: 10_000 };
/** A hold of a second would distort an average over less. */
const averageMs = 5000;

export function createPace(ceiling: number): Pace {
  let rate: number | undefined;
  let limit = Number.POSITIVE_INFINITY;
  /** The limit that held until the last probe. */
  let proven: number | undefined;
  let probing = false;
  let refusedAt = Number.NEGATIVE_INFINITY;
  let acceptedSince = 0;
  let soonInARow = 0;
  /** Requests of the last second or a little more that were accepted, and the pace at the time. */
  let recent: { readonly at: number; readonly rate: number | undefined }[] = [];

  function wentThrough(startedAt: number): number {
    const second = recent.filter(({ at }) => at > startedAt - 1000 && at <= startedAt);
    const counted = Math.max(1, second.length);
    return Math.min(rate ?? ceiling, Math.max(counted, second[0]?.rate ?? 0));
  }

  function limitAfter(through: number, now: number, crowded: boolean): number {
    if (crowded) {
      // That is no limit found, but what went through is at least known to have done so.
      soonInARow = 0;
      return Math.max(limit, through);
    }
    const since = now - refusedAt;
    if (probing || limit === Number.POSITIVE_INFINITY) {
      soonInARow = 0;
      return through;
    }
    if (acceptedSince >= soon.requests && since >= soon.ms) {
      // The server's limit has changed: what was proven is of the past.
      soonInARow = 0;
      proven = undefined;
      return nearly * through;
    }
    soonInARow++;
    if (proven === undefined && rate !== undefined && rate < nearly * limit) return through;
    if (soonInARow === 1) return 0.9 * through;
    const average = since >= averageMs ? (1050 * acceptedSince) / since : 0;
    return Math.min(nearly * through, Math.max(average, proven ?? 0, 0.8 * through));
  }

  function faster(now: number, mayProbe: boolean): number {
    if (now < nearly * limit) {
      const perSecond = proven === undefined ? step.lookingPerSecond : step.returningPerSecond;
      return Math.min(now * (1 + Math.min(step.request, perSecond / now)), nearly * limit);
    }
    if (!probing && mayProbe) {
      probing = true;
      proven = limit;
    }
    if (!probing) return now;
    const clearly = Math.max(0, now / limit - probe.clearBeyond);
    const perSecond = Math.min(step.lookingPerSecond, Math.max(probe.perSecond, 1.5 * clearly));
    return now * (1 + Math.min(step.request, perSecond / now, Math.max(probe.request, clearly / 5)));
  }

  return {
    get rate() {
      return rate;
    },
    accepted(startedAt, bound, mayProbe) {
      acceptedSince++;
      recent.push({ at: startedAt, rate });
      // No second holds more than the ceiling; answers may come a little out of order.
      if (recent.length > 2 * ceiling + 20) recent = recent.slice(-ceiling - 10);
      if (rate !== undefined && bound) rate = Math.min(faster(rate, mayProbe), ceiling);
    },
    refused(startedAt, now, crowded) {
      const expected = probing || limit === Number.POSITIVE_INFINITY;
      const through = wentThrough(startedAt);
      if (rate !== undefined) limit = limitAfter(through, now, crowded);
      const factor = expected && proven !== undefined ? decrease.probed : decrease.surprised;
      rate = Math.min(factor * through, ceiling);
      probing = false;
      refusedAt = now;
      acceptedSince = 0;
      return expected;
    },
  };
}
