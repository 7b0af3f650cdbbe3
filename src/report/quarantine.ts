/** The quarantine for people, and as data with times as the documents of the command line write them. */
import { type Blocked, refusalText } from '../domain/blocked.ts';
import { causeText, type FailureCause, type OpenBreaker } from '../domain/breaker.ts';
import type { Quarantined, QuarantinedPerson } from '../domain/quarantine.ts';
import { type Palette, printable } from './palette.ts';
import { plural } from './plan-text.ts';

/** Everything that is held back, with the way to let it out. `now` in milliseconds since the epoch. */
export function quarantineText(quarantined: Quarantined, now: number, palette: Palette): string {
  const { people, blocks, breaker } = quarantined;
  if (isEmpty(quarantined)) return 'Nothing is quarantined.\n';
  const sections = [
    people.length === 0
      ? ''
      : [palette.strong(`Quarantined (${people.length})`), ...people.flatMap((each) => personLines(each, now))].join(
          '\n',
        ),
    blocks.length === 0
      ? ''
      : [palette.strong(`Held back together (${blocks.length})`), ...blocks.map((each) => blockLine(each, now))].join(
          '\n',
        ),
    breaker === undefined ? '' : breakerLines(breaker, palette).join('\n'),
    'Let out with `tdsync retry USER`, `--domain DOMAIN`, `--quota`, `--breaker` or `--all`: the next run tries again.',
  ];
  return `${sections.filter((each) => each !== '').join('\n\n')}\n`;
}

/** For `status`: how many, and when something is tried next. */
export function quarantineLines(quarantined: Quarantined, now: number, palette: Palette): readonly string[] {
  const { people, blocks, breaker } = quarantined;
  if (isEmpty(quarantined)) return [];
  const parts = [
    ...(people.length === 0 ? [] : [`${people.length === 1 ? '1 person' : `${people.length} people`}`]),
    ...blocks.map(({ key }) => key),
  ];
  const next = nextTryAt(quarantined);
  const when = next === undefined ? '' : next <= now ? ', the next run tries again' : `, next try ${iso(next)}`;
  const held =
    parts.length === 0 ? [] : [`Quarantined:   ${printable(parts.join(', '))}${when}; \`tdsync retry\` lists them`];
  return [...held, ...(breaker === undefined ? [] : breakerLines(breaker, palette))];
}

export function breakerLines({ run, kinds, causes, attempts }: OpenBreaker, palette: Palette): readonly string[] {
  const again = attempts > 1 ? `, ${attempts} runs in a row` : '';
  return [
    palette.removed(
      `Circuit breaker open: it ended run ${run}${again}; of ${kinds.join(', ')}, the next run tries one before the others`,
    ),
    ...causes.map((cause) => `  ${causeText(cause)}: ${plural(cause.people, 'time')}, ${examplesText(cause)}`),
  ];
}

function examplesText({ people, examples }: FailureCause): string {
  const rest = people > examples.length ? ` and ${people - examples.length} more` : '';
  return `${examples.map(printable).join(', ')}${rest}`;
}

function personLines(
  { externalId, userName, code, message, since, attempts, retryAt }: QuarantinedPerson,
  now: number,
): readonly string[] {
  const who = userName === undefined ? printable(externalId) : `${printable(userName)} (${printable(externalId)})`;
  return [
    `  ${who}  ${code} since ${iso(since)}, refused ${plural(attempts, 'time')}, ${nextText(retryAt, now)}`,
    `    ${printable(message)}`,
  ];
}

function blockLine({ key, since, attempts, retryAt }: Blocked, now: number): string {
  return `  ${printable(refusalText(key))}: since ${iso(since)}, refused ${plural(attempts, 'time')}, ${nextText(retryAt, now)}`;
}

function nextText(retryAt: number | undefined, now: number): string {
  if (retryAt === undefined) return 'not tried again until the record changes';
  return retryAt <= now ? 'the next run tries again' : `tried again after ${iso(retryAt)}`;
}

/** Undefined when nothing has a time. */
function nextTryAt({ people, blocks }: Quarantined): number | undefined {
  return [...people, ...blocks].reduce<number | undefined>((next, { retryAt }) => {
    return retryAt === undefined || (next !== undefined && next <= retryAt) ? next : retryAt;
  }, undefined);
}

function isEmpty({ people, blocks, breaker }: Quarantined): boolean {
  return people.length === 0 && blocks.length === 0 && breaker === undefined;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

/** The whole quarantine as data. */
export function quarantineData(quarantined: Quarantined): object {
  return {
    people: quarantined.people.map(personData),
    blocks: quarantined.blocks.map(withSinceAt),
    breaker: quarantined.breaker && withSinceAt(quarantined.breaker),
  };
}

/** As `quarantineData`, with a number in place of the people. */
export function quarantineSummary(quarantined: Quarantined): object {
  return { ...quarantineData(quarantined), people: quarantined.people.length, nextTryAt: nextTryAt(quarantined) };
}

/** What was refused is told by digests, which say nothing to anybody else. */
export function personData({ record: _record, ...person }: QuarantinedPerson): object {
  return withSinceAt(person);
}

export function withSinceAt<Since extends { readonly since: number }>({ since, ...rest }: Since): object {
  return { ...rest, sinceAt: since };
}
