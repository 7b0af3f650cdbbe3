/** `tdsync` processes that come to harm at a counted moment; see harm-hook.ts for the moments and the kinds of harm. */
import type { Result, World } from './world.ts';

const hook = new URL('./harm-hook.ts', import.meta.url).href;

export interface Harmed extends Result {
  /** What came, in order: `begin`, `sent GET /…`, and the harm itself. */
  readonly moments: readonly string[];
  /** What came after the harm. */
  readonly after: readonly string[];
}

type Harm = 'list' | `${'kill' | 'full' | 'lock'}@${number}`;

/** The environment that brings the harm. */
export function hooked(harm: Harm): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${hook}`, TEST_HARM: harm };
}

export async function harmed(
  world: World,
  args: readonly string[],
  harm: Harm,
  environment: Readonly<Record<string, string>> = {},
): Promise<Harmed> {
  const result = await world.start(args, { environment: { ...hooked(harm), ...environment } }).ended;
  const moments = result.stderr.split('\n').flatMap((line) => (line.startsWith('@ ') ? [line.slice(2)] : []));
  const [kind = ''] = harm.split('@');
  const index = moments.indexOf(kind);
  return { ...result, moments, after: index < 0 ? [] : moments.slice(index + 1) };
}

/** All of `total` moments with `everything`, else about `some` of them, spread evenly, but not in step with what comes again and again. */
export function momentsToTry(total: number, everything: boolean, some: number): readonly number[] {
  const all = Array.from({ length: total }, (_, index) => index + 1);
  if (everything || total <= some) return all;
  return Array.from({ length: some }, (_, index) => {
    return Math.min(total, Math.floor(((index + 0.5) * total) / some) + 1 + (index % 4));
  });
}
