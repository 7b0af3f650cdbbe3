import { readFixtures } from '../config/fixture-file.ts';
import { suggest } from '../config/suggest.ts';
import type { Demand } from '../domain/entry.ts';
import type { Fixture } from '../domain/fixture.ts';
import { judgeFixture } from '../engine/judge-fixture.ts';
import { type FixtureWarning, fixturesJson, fixturesText } from '../report/fixtures.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { idAttributeOf, openSession } from './session.ts';
import { palette, print } from './terminal.ts';
import { readInput } from './usage-error.ts';

/** Asks the rules about made-up people. No network, source, snapshot or secret is touched. Exit 1 when something is not as expected. */
export async function test(file: string, options: GlobalOptions): Promise<ExitCode> {
  const { configuration, compiled } = openSession(options);
  const idAttribute = idAttributeOf(configuration);
  const fixtures = await readInput(() => readFixtures(file, idAttribute));
  const judged = fixtures.map((fixture) => ({
    fixture,
    differences: judgeFixture(compiled, configuration.rules.roles, fixture),
  }));
  const warnings = [...unasked(fixtures, compiled.demand, idAttribute), ...nearGroups(fixtures, compiled.demand)];
  print(options.json ? fixturesJson(file, judged, warnings) : fixturesText(file, judged, warnings, palette()));
  return judged.every(({ differences }) => differences.length === 0) ? exitCodes.ok : exitCodes.unexpected;
}

/** Each attribute once, where it stands first: most likely a slip, or left behind by a rule that is gone. */
function unasked(fixtures: readonly Fixture[], { attributes }: Demand, idAttribute: string): FixtureWarning[] {
  if (attributes === 'all') return [];
  const asked = new Set([...attributes, idAttribute]);
  const found = new Map<string, FixtureWarning>();
  for (const { entry, line } of fixtures) {
    for (const name of Object.keys(entry.attributes)) {
      if (asked.has(name) || found.has(name)) continue;
      const meant = suggest(name, attributes);
      const advice = meant === undefined ? '' : `; did you mean ${meant}?`;
      found.set(name, { line, message: `no rule asks for the attribute ${name}${advice}` });
    }
  }
  return [...found.values()];
}

/** People are in groups that no rule names, and that is fine; one that differs in its spelling alone is a slip. */
function nearGroups(fixtures: readonly Fixture[], { groups, allGroups }: Demand): FixtureWarning[] {
  if (allGroups) return [];
  const named = new Map(groups.map((name) => [likeness(name), name]));
  const found = new Map<string, FixtureWarning>();
  for (const { entry, line } of fixtures) {
    for (const name of entry.groups) {
      const meant = named.get(likeness(name));
      if (meant === undefined || groups.includes(name) || found.has(name)) continue;
      found.set(name, { line, message: `no rule names the group ${name}; did you mean ${meant}?` });
    }
  }
  return [...found.values()];
}

function likeness(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}
