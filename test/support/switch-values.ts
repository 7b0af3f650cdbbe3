/** The simulator's switches with the values that lives are lived under, and which of them no life can end well under. */

import { type QuirkDefinition, type Quirks, quirkDefinitions } from '../../src/simulator/quirks.ts';
import { coverEach, coverPairs, type Row } from './pairwise.ts';

export type SwitchName = keyof Quirks;

/** One value of one switch, or several that only mean something together. */
export interface Setting {
  readonly title: string;
  readonly quirks: Partial<Quirks>;
}

const definitions = quirkDefinitions as unknown as Readonly<Record<SwitchName, QuirkDefinition<unknown>>>;

/** What replaces the documented value of switches that are no choice. */
const others: Partial<Record<SwitchName, readonly unknown[]>> = {
  tokenUses: [3],
  clockSkew: [-7_200, 7_200],
  nextPageHost: ['https://preview-iam.twilio.com'],
  collectionKey: ['items'],
  pageSizeCeiling: [4],
  listLimit: [3],
  newUserHiddenReads: [1, 2, 5],
  newAssignmentHiddenReads: [1],
  newUserAssignmentRefusals: [1, 3],
  roleCeiling: [1],
  roleCeilingCode: [20400],
};

/**
 * What no client can make good: a list that is not whole proves nothing, and what Twilio refuses for ever cannot be
 * had. Each has its own expectation, in conformance.test.ts.
 */
const insurmountable: Partial<Record<SwitchName, readonly unknown[]>> = {
  listLimit: [3],
  listAnnounces: ['startIndex', 'next'],
  nextPageLink: ['loop'],
  rename: ['25012', '25013'],
  reactivation: ['refused'],
  roleCeiling: [1],
};

export const switchNames = Object.keys(definitions) as readonly SwitchName[];

/** What the page does on which a person approves: nobody goes there while people are kept in step. */
const ofApproval: readonly SwitchName[] = ['approval', 'pkce'];

/** All that play an unknown. */
export const playing = switchNames.filter((name) => !ofApproval.includes(name));

/** All but which paths are answered: where those of the other generation are not, a client that asks there fails. */
export const variedSwitches = playing.filter((name) => name !== 'generations');

/** The first is the documented one. */
export function valuesOf(name: SwitchName): readonly unknown[] {
  const { initial, allowed } = definitions[name];
  const further = others[name] ?? (JSON.parse(`[${allowed.replaceAll(' | ', ',')}]`) as unknown[]).slice(1);
  return [initial, ...further];
}

/** Values under which a life ends as it should, the documented one among them. */
export function survivableValuesOf(name: SwitchName): readonly unknown[] {
  return valuesOf(name).filter((value) => insurmountable[name]?.includes(value) !== true);
}

/** Every value that is not the documented one, alone. */
export const alone: readonly Setting[] = variedSwitches.flatMap((name) =>
  survivableValuesOf(name)
    .slice(1)
    .map((value) => settingOf([[name, value]])),
);

export function settingOf(values: readonly (readonly [name: SwitchName, value: unknown])[]): Setting {
  const unlike = values.filter(([name, value]) => value !== definitions[name].initial);
  return {
    title: unlike.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' '),
    quirks: Object.fromEntries(unlike) as Partial<Quirks>,
  };
}

function settingOfRow(row: Row, name: (index: number) => string): Setting {
  const values = variedSwitches.map((each, index) => [each, survivableValuesOf(each)[row[index] ?? 0]] as const);
  return { ...settingOf(values), title: name(Object.keys(settingOf(values).quirks).length) };
}

const sizes = variedSwitches.map((name) => survivableValuesOf(name).length);

/** Every switch that has another value than the documented one has one, and every such value is in one of these. */
export const worst: readonly Setting[] = coverEach(sizes.map((size) => Math.max(1, size - 1))).map((row, index) =>
  settingOfRow(
    row.map((value, each) => ((sizes[each] ?? 1) > 1 ? value + 1 : 0)),
    (deviations) => `life ${index + 1}, ${deviations} deviations`,
  ),
);

/** Every pair of values of two switches is in one of these. */
export const pairs: readonly Setting[] = coverPairs(sizes).map((row, index) =>
  settingOfRow(row, (deviations) => `life ${index + 1}, ${deviations} deviations`),
);
