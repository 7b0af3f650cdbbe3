/** Arrows point down: what each folder may import, and where time, randomness, the environment and the terminal may be touched. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const source = join(import.meta.dirname, '..', 'src');

interface Import {
  readonly from: string;
  /** A path below `src`, or the name of a package. */
  readonly to: string;
  readonly local: boolean;
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .sort();

function read(file: string): string {
  return readFileSync(join(source, file), 'utf8');
}

/** Static, dynamic and type imports and re-exports. */
function importsOf(file: string): Import[] {
  const specifiers = read(file).matchAll(
    /^\s*(?:import|export)\b[^'"`;]*?from\s+['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]/gm,
  );
  return [...specifiers].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    const local = specifier.startsWith('.');
    const to = local ? relative(source, resolve(source, dirname(file), specifier)) : specifier;
    return { from: file, to, local };
  });
}

const imports = files.flatMap(importsOf);

/** The folder that a file belongs to: two levels for sources, which are adapters of their own; a file beside them is its own. */
function unitOf(file: string): string {
  const [first = '', second = ''] = file.split('/');
  if (first !== 'sources') return file.includes('/') ? first : file;
  return file.split('/').length > 2 ? `${first}/${second}` : first;
}

const base = ['domain', 'errors.ts', 'ports.ts'];
const layers: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain'],
  'errors.ts': base,
  'ports.ts': base,
  engine: base,
  report: base,
  reconcile: [...base, 'engine', 'report'],
};
/** Entry points stand above everything; `compose.ts` above all but them. */
const entries = ['cli', 'daemon.ts'];

function mayImport(unit: string, other: string): boolean {
  if (unit === other || entries.includes(unit)) return true;
  if (unit === 'compose.ts') return !entries.includes(other);
  return (layers[unit] ?? base).includes(other);
}

test('there are files to look at', () => {
  expect(files.length).toBeGreaterThan(30);
  expect(imports.length).toBeGreaterThan(100);
});

test('imports point downwards, and adapters know neither the engine nor each other', () => {
  const wrong = imports
    .filter(({ from, to, local }) => local && !mayImport(unitOf(from), unitOf(to)))
    .map(({ from, to }) => `${from} imports ${to}`);

  expect(wrong).toEqual([]);
});

test('engine and reports use no packages but CEL and RE2, and of Node nothing but hashing', () => {
  const permitted = new Set(['node:crypto', '@marcbachmann/cel-js', 're2js']);
  const wrong = imports
    .filter(
      ({ from, local }) => !local && ['engine', 'report', 'domain', 'errors.ts', 'ports.ts'].includes(unitOf(from)),
    )
    .filter(({ to }) => !permitted.has(to))
    .map(({ from, to }) => `${from} imports ${to}`);

  expect(wrong).toEqual([]);
});

test('the sequence of a run uses no package at all', () => {
  const wrong = imports
    .filter(({ from, local }) => !local && unitOf(from) === 'reconcile')
    .map(({ from, to }) => `${from} imports ${to}`);

  expect(wrong).toEqual([]);
});

/** The code without comments and without the text of literals, line by line. */
function codeOf(file: string): string[] {
  return read(file)
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' '))
    .split('\n')
    .map((line) => line.replace(/(^|\s)\/\/.*$/, '').replaceAll(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, "''"));
}

/** Everything else gets time, chance and settings handed in. The simulator chooses its clock where it is started. */
const rim = (file: string) =>
  file === 'simulator/simulator.ts' || ['cli', 'ops', 'compose.ts', 'daemon.ts'].includes(unitOf(file));

test.each([
  ['the console', /\bconsole\s*\./],
  ['the environment', /\bprocess\s*\.\s*env\b/],
  ['the clock', /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bperformance\s*\.\s*now\b/],
  ['chance', /\bMath\s*\.\s*random\b/],
])('%s is touched at the rim alone', (_what, pattern) => {
  const wrong = files
    .filter((file) => !rim(file))
    .flatMap((file) =>
      codeOf(file).flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );

  expect(wrong).toEqual([]);
});

test('no file is longer than 250 lines', () => {
  const long = files
    .map((file) => ({ file, lines: read(file).trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > 250)
    .map(({ file, lines }) => `${file}: ${lines} lines`);

  expect(long).toEqual([]);
});
