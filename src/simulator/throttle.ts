import type { Failure } from './errors.ts';
import type { World } from './reply.ts';

/** The 429 for too many requests per second; codes and Retry-After differ between Twilio's pages, so quirks decide. */
export function tooManyRequests(world: World, retryInMs: number): Failure {
  return throttled(world, world.quirks.rateLimitCode ?? undefined, 'Too many requests', retryInMs);
}

/** The 429 for too many requests at once (www.twilio.com/docs/api/errors/20429). */
export function tooManyConcurrent(world: World): Failure {
  return throttled(world, 20429, 'Too many concurrent requests', 1000);
}

function throttled(world: World, code: number | undefined, message: string, retryInMs: number): Failure {
  const { retryAfter, throttledUntil } = world.quirks;
  const seconds = Math.max(1, Math.ceil(retryInMs / 1000));
  const until = new Date(world.now() + seconds * 1000);
  return {
    kind: 'failure',
    status: 429,
    code,
    message,
    ...(retryAfter === 'absent'
      ? undefined
      : { headers: { 'Retry-After': retryAfter === 'seconds' ? String(seconds) : until.toUTCString() } }),
    ...(throttledUntil ? { extra: { throttled_until: until.toISOString() } } : undefined),
  };
}
