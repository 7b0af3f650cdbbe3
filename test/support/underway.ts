import { vi } from 'vitest';
import type { World } from './world.ts';

/** Resolves when so many calls wait for their answer in the simulator; hanging ones count. */
export async function untilUnderWay({ twilio }: World, calls: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const answer = await fetch(`${twilio.url}/_simulator/counts`);
      const { underWay } = (await answer.json()) as { readonly underWay: number };
      if (underWay < calls) throw new Error(`${underWay} calls are under way, not ${calls}`);
    },
    { timeout: 20_000, interval: 10 },
  );
}
