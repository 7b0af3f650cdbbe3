/** Ends a run of `tdsync reconcile` as a power cut would, at a chosen request. */
import type { World } from './world.ts';

/** What becomes of the request at which the process dies: its answer arrives, it is never carried out, or its answer is never sent. */
export type Fate = 'answered' | 'hang' | 'hang-after';

export interface CrashPoint {
  readonly fate: Fate;
  readonly method: string;
  readonly path: string;
  /** The first, second … such request of the run. */
  readonly nth: number;
}

const writes = [
  { method: 'DELETE', path: '/v2/Organizations/RoleAssignments/{id}', count: 4 },
  { method: 'DELETE', path: '/scim/v2/Users/{id}', count: 1 },
  { method: 'PUT', path: '/scim/v2/Users/{id}', count: 7 },
  { method: 'POST', path: '/scim/v2/Users', count: 3 },
  { method: 'POST', path: '/v2/Organizations/RoleAssignments', count: 8 },
] as const;

/** Every write of the mixed change, in the order in which the run comes to them. */
export function crashPoints(fate: Fate): readonly CrashPoint[] {
  return writes.flatMap(({ method, path, count }) =>
    Array.from({ length: count }, (_, index) => ({ fate, method, path, nth: index + 1 })),
  );
}

export function describePoint({ fate, method, path, nth }: CrashPoint): string {
  return `${fate} ${method} ${path} ${nth}`;
}

/** Starts a run and kills it with SIGKILL as soon as the simulator has received the request, if the run comes to it. */
export async function crash(world: World, { fate, method, path, nth }: CrashPoint): Promise<void> {
  world.twilio.requests.clear();
  if (fate !== 'answered') {
    world.twilio.faults.add({ match: { method, path }, after: nth - 1, times: 1, fault: fate });
  }
  const run = world.start(['reconcile']);
  await Promise.race([world.twilio.requests.waitFor({ method, path }, nth), run.ended]);
  run.kill('SIGKILL');
  await run.ended;
  world.twilio.faults.clear();
}
