/** What must hold after each step of a life, whatever Twilio does: a list of what does not. */
import type { Quirks } from '../../src/simulator/quirks.ts';
import { outcomesOf } from './in-process.ts';
import { type LifeOptions, type LivedStep, live, steps } from './life-cycle.ts';
import { assignedTwice, mailedTwice, type OrganizationPicture, pictureOf } from './organization.ts';
import type { World } from './world.ts';

export interface Life {
  readonly lived: readonly LivedStep[];
  /** All writes that were sent. */
  readonly writes: number;
  /** What nobody may ever meet: a second welcome, a role twice, somebody changed whom we do not manage. */
  readonly harm: readonly string[];
  readonly picture: OrganizationPicture;
  /** Records are refused as a missing permission would be, which ends the runs that try them. */
  readonly mayStop: boolean;
}

export async function liveThrough(quirks: Partial<Quirks>, options: LifeOptions = {}): Promise<Life> {
  const lived: LivedStep[] = [];
  const harm = new Set<string>();
  let writes = 0;
  let picture: OrganizationPicture = { users: [], assignments: [] };
  let crowd: string | undefined;
  const look = (world: World, each: LivedStep) => {
    lived.push(each);
    picture = pictureOf(world.twilio);
    writes = world.twilio.requests.writes;
    for (const address of mailedTwice(world.twilio)) harm.add(`${each.step}: ${address} is welcomed twice`);
    for (const triple of assignedTwice(world.twilio)) harm.add(`${each.step}: ${triple} twice`);
    const strangers = JSON.stringify(crowdOf(picture));
    crowd ??= strangers;
    if (crowd !== strangers) harm.add(`${each.step}: somebody unmanaged is changed`);
  };
  await live(quirks, options, look);
  const withoutCode = quirks.errorCodes === 'absent' || (quirks.errorBody ?? 'json') !== 'json';
  return { lived, writes, harm: [...harm], picture, mayStop: withoutCode && quirks.forbiddenStatus === 403 };
}

function crowdOf({ users, assignments }: OrganizationPicture): unknown {
  const isCrowd = (text: string) => text.includes('crowd-') || text.includes('owner@');
  return [users.map((user) => JSON.stringify(user)).filter(isCrowd), assignments.filter(isCrowd)];
}

/** What speaks against a life that should have ended well. */
export function complaints({ lived, harm, picture, mayStop }: Life): readonly string[] {
  const found = [...harm];
  const refusals = mayStop ? [0, 4, 6] : [0, 4];
  for (const { step, run, next, lateWrites } of lived) {
    const quiet = step in steps;
    const expected =
      quiet || step === 'unauthorized' || step === 'calm' ? [0] : step === 'troubled' ? refusals : [0, 4];
    if (!expected.includes(run.code)) found.push(`${step}: ends ${run.code}${reasonOf(run)}`);
    if (step === 'troubled' && mayStop) continue;
    if (next.code !== 0 || next.report?.status !== 'converged') {
      found.push(`${step}: the run after it ends ${next.code} ${next.report?.status}${reasonOf(next)}`);
    }
    if (lateWrites > 0) found.push(`${step}: the run after it writes ${lateWrites} times`);
    if (step === 'calm' && (run.report?.findings.length ?? 1) > 0) {
      found.push(`${step}: ${run.report?.findings.map(({ code, userName }) => `${code} ${userName}`).join(', ')}`);
    }
  }
  const end = shapeOf(picture);
  for (const each of wanted.filter((line) => !end.includes(line))) found.push(`in the end there is no ${each}`);
  for (const each of end.filter((line) => !wanted.includes(line))) found.push(`in the end there is ${each}`);
  return found;
}

function reasonOf(run: LivedStep['run']): string {
  const failed = run.report?.operations.filter(({ outcome }) => outcome.state === 'failed') ?? [];
  const reasons = failed.map(
    ({ operation, outcome }) => `${operation.id}: ${'message' in outcome ? outcome.message : ''}`,
  );
  const all = run.error === undefined ? reasons : [run.error.message, ...reasons];
  const done = run.code === 0 ? Object.keys(outcomesOf(run)) : [];
  return [...all, ...done].length === 0 ? '' : ` (${[...all, ...done].join('; ')})`;
}

/** How everybody of the source has to stand at the end, in whatever letters. */
const wanted: readonly string[] = [
  'adoptee@corp.example active',
  'adoptee@corp.example: developer',
  'leaver@corp.example active',
  'leaver@corp.example: developer',
  'leaver@corp.example: studio viewer',
  'leaver@corp.example: support',
  'moved@corp.example active',
  'moved@corp.example: studio viewer',
  'moved@corp.example: support',
  'plain@corp.example active',
  'steady@corp.example active',
  'steady@corp.example: developer',
  'steady@corp.example: studio viewer',
  'steady@corp.example: support',
];

/** Who is not of the source, or no longer, and rows that Twilio gives by itself are left out. */
function shapeOf({ users, assignments }: OrganizationPicture): readonly string[] {
  const people = users as readonly { readonly userName: string; readonly active?: boolean }[];
  const lines = [
    ...people.map(({ userName, active }) => `${userName} ${active === false ? 'inactive' : 'active'}`),
    ...assignments.map((line) => line.replace(/ in .*$/, '')),
  ].map((line) => line.toLowerCase());
  return lines
    .filter((line) => /^(?:adoptee|leaver|mover?d?|plain|steady|joiner|tiny)@/.test(line))
    .filter((line) => !line.endsWith(': standard user') && !/^(?:joiner|tiny)@\S+ inactive$/.test(line))
    .sort();
}
