import type { Difference, Fixture } from '../domain/fixture.ts';
import { documentJson } from './json.ts';
import { type Palette, plain, printable } from './palette.ts';

export interface Judged {
  readonly fixture: Fixture;
  readonly differences: readonly Difference[];
}

/** Something that is no failure and yet most likely a mistake. */
export interface FixtureWarning {
  /** 1-based, in the file. */
  readonly line: number;
  readonly message: string;
}

/** Each made-up person in a line, and below it what is not as expected. */
export function fixturesText(
  file: string,
  judged: readonly Judged[],
  warnings: readonly FixtureWarning[],
  palette: Palette = plain,
): string {
  const failed = judged.filter(({ differences }) => differences.length > 0).length;
  const end =
    failed === 0
      ? palette.strong(`${judged.length} of ${judged.length} as expected`)
      : palette.removed(`${failed} of ${judged.length} not as expected`);
  const lines = [
    ...judged.flatMap((each) => personLines(file, each, palette)),
    ...warnings.map(({ line, message }) => palette.changed(printable(`! ${file}:${line}  ${message}`))),
    '',
    end,
  ];
  return `${lines.join('\n')}\n`;
}

function personLines(file: string, { fixture, differences }: Judged, palette: Palette): readonly string[] {
  const { name, line } = fixture;
  const mark = differences.length === 0 ? palette.added('✓') : palette.removed('✗');
  const width = Math.max(...differences.map(({ what }) => what.length));
  const head = `${mark} ${printable(name)}${differences.length === 0 ? '' : palette.faint(`  ${printable(file)}:${line}`)}`;
  return [head, ...differences.flatMap((each) => differenceLines(each, width, palette))];
}

/** As in a plan: what is expected and lacks with `-`, what is there and is not expected with `+`. */
function differenceLines(
  { what, expected, actual, because }: Difference,
  width: number,
  palette: Palette,
): readonly string[] {
  const by = because === undefined ? '' : palette.faint(`  by ${printable(because)}`);
  const isGrant = what === 'grant';
  const shown = [
    ...(isGrant && expected === null ? [] : [palette.removed(`- ${shownText(expected)}`)]),
    ...(isGrant && actual === null ? [] : [`${palette.added(`+ ${shownText(actual)}`)}${by}`]),
  ];
  return shown.map((text, index) => `    ${(index === 0 ? what : '').padEnd(width)}  ${text}`);
}

function shownText(value: string | null): string {
  return value === null ? '(none)' : printable(value);
}

/** The JSON document of `tdsync test`. */
export function fixturesJson(file: string, judged: readonly Judged[], warnings: readonly FixtureWarning[]): string {
  const people = judged.map(({ fixture: { name, line }, differences }) => ({
    name,
    line,
    passed: differences.length === 0,
    differences,
  }));
  return documentJson({ file, passed: people.every(({ passed }) => passed), people, warnings });
}
