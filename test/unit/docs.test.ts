import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { configurationSchema } from '../../src/config/schema.ts';
import { findingCodes } from '../../src/domain/plan.ts';
import { guardNames } from '../../src/domain/rules.ts';
import { compileRules } from '../../src/engine/compile.ts';

const root = join(import.meta.dirname, '..', '..');
const pages = globSync(['*.md', 'config/*.md', 'docs/**/*.md'], { cwd: root }).sort();

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

function withoutCode(text: string): string {
  return text.replace(/^ *```[\s\S]*?^ *```$/gm, '').replace(/`[^`\n]*`/g, '');
}

/** The heading's anchor as code hosts make it: lower case, blanks to hyphens, punctuation dropped. */
function anchorsOf(page: string): readonly string[] {
  const headings = read(page).match(/^#+ .*$/gm) ?? [];
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function codeBlocks(page: string, language: string): readonly string[] {
  return [...read(page).matchAll(new RegExp(`^ *\`\`\`${language}\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'))].map(
    ([, code = '']) => code,
  );
}

/** Commands as the program itself lists them. */
function commandsOf(...path: readonly string[]): readonly string[] {
  const main = join(root, 'src', 'cli', 'main.ts');
  const help = execFileSync(process.execPath, [main, ...path, '--help'], { encoding: 'utf8' });
  const lists = [...help.matchAll(/^(?!Options|Exit codes|Arguments)[\w-]+:\n((?: .*\n)+)/gm)].map(
    ([, list = '']) => list,
  );
  return lists
    .flatMap((list) => [...list.matchAll(/^ {2}([a-z]+)/gm)])
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help');
}

test('every relative link of the documentation leads to a page and a heading that exist', () => {
  const broken = pages.flatMap((page) =>
    [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
      if (/^[a-z]+:/.test(target)) return [];
      const [path = '', anchor] = target.split('#', 2);
      const file = path === '' ? page : join(dirname(page), path);
      const isThere = existsSync(join(root, file));
      const hasHeading = anchor === undefined || (isThere && anchorsOf(file).includes(anchor));
      return isThere && hasHeading ? [] : [`${page}: ${target}`];
    }),
  );

  expect(broken).toEqual([]);
});

test('the README lists every command, and no page shows a command that does not exist', () => {
  const commands = commandsOf();
  const nested = commandsOf('config');

  const missing = [...commands.filter((name) => name !== 'config'), ...nested.map((name) => `config ${name}`)].filter(
    (name) => !read('README.md').includes(`| \`tdsync ${name}`),
  );
  const shown = pages.flatMap((page) =>
    [...read(page).matchAll(/(?:^|`)tdsync (?:--config \S+ )?([a-z]+)/gm)].map(([, name = '']) => ({ page, name })),
  );

  expect(missing).toEqual([]);
  expect(shown.length).toBeGreaterThan(0);
  expect(shown.filter(({ name }) => !commands.includes(name))).toEqual([]);
});

test('README and operations explain every exit code, and operations every finding', () => {
  const codes = Object.values(exitCodes);
  const explains = (page: string, code: number) => new RegExp(`^\\| ${code} \\|`, 'm').test(read(page));

  const unexplained = ['README.md', 'docs/operations.md'].flatMap((page) =>
    codes.filter((code) => !explains(page, code)).map((code) => `${page}: ${code}`),
  );
  const unknown = findingCodes.filter((code) => !read('docs/operations.md').includes(`| \`${code}\` |`));

  expect(unexplained).toEqual([]);
  expect(unknown).toEqual([]);
});

test('operations names every code with which a run or an operation can end', () => {
  const codes = [...read('src/errors.ts').matchAll(/readonly code = '([a-z-]+)'/g)].map(([, code = '']) => code);

  expect(codes.length).toBeGreaterThan(10);
  expect([...codes, 'run-time', 'usage'].filter((code) => !read('docs/operations.md').includes(`\`${code}\``))).toEqual(
    [],
  );
});

test('every guard that the documentation allows exists', () => {
  const allowed = pages.flatMap((page) => [...read(page).matchAll(/--allow ([a-z]\w+)/g)].map(([, name = '']) => name));

  expect(allowed.length).toBeGreaterThan(0);
  expect(allowed.filter((name) => !guardNames.some((guard) => guard === name))).toEqual([]);
});

const sections = Object.keys(configurationSchema.shape);

test('every configuration that the documentation shows is valid, whole or in place of its sections', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-docs-'));
  const file = join(folder, 'tdsync.yaml');
  const [whole = ''] = codeBlocks('README.md', 'yaml');
  const shown = pages.flatMap((page) => codeBlocks(page, 'yaml').map((code) => ({ page, code })));
  const ours = shown.filter(({ code }) => [...sectionsOf(code).keys()].some((name) => sections.includes(name)));

  const checked = ours.map(({ page, code }) => {
    // Rules that name groups do not fit a source that is shown without any.
    const rest = [...sectionsOf(whole)].filter(([name]) => name !== 'roles');
    writeFileSync(file, [...new Map([...rest, ...sectionsOf(code)]).values()].join(''));
    return { page, issues: compileRules(loadConfiguration(file, {}).configuration.rules).issues };
  });
  rmSync(folder, { recursive: true });

  expect(checked.length).toBeGreaterThan(5);
  expect(checked.filter(({ issues }) => issues.length > 0)).toEqual([]);
});

/** The text of each top-level section by its name. */
function sectionsOf(yaml: string): ReadonlyMap<string, string> {
  const parts = yaml.split(/^(?=[a-z]+:)/m).filter((part) => /^[a-z]+:/.test(part));
  return new Map(parts.map((part) => [part.slice(0, part.indexOf(':')), part]));
}

test('whoever contributes finds every npm script and every folder', () => {
  const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
  const folders = globSync('src/*/', { cwd: root }).map((path) => path.replace(/^src\/|\/$/g, ''));
  const contributing = read('CONTRIBUTING.md');
  const tests = globSync('test/*/', { cwd: root }).map((path) => path.replace(/\/$/, ''));
  const [, layout = ''] = /^## Layout\n([\s\S]*?)^## /m.exec(read('docs/architecture.md')) ?? [];

  // Steps of others have a colon and a last word of their own.
  const offered = Object.keys(scripts).filter((name) => !/:(?:run|install)$/.test(name));
  const listed = [...contributing.matchAll(/npm (?:run |(?=test\b))([a-z]+(?::[a-z]+)*)(?=[`\s;])/g)].map(
    ([, name = '']) => name,
  );
  const shown = [...layout.matchAll(/`([a-z]+)\/(?:[a-z]+\/)?`/g)].map(([, name = '']) => name);

  expect(new Set(listed)).toEqual(new Set(offered));
  expect(new Set(shown)).toEqual(new Set(folders));
  expect(tests.filter((folder) => !read('docs/architecture.md').includes(`\`${folder}/\``))).toEqual([]);
});

test('every test that the threat model names exists', () => {
  const rows = read('SECURITY.md')
    .split('\n')
    .filter((line) => /^\| .* \| .* \| `[^|]*` \|$/.test(line));
  const named = rows.flatMap((row) =>
    [...(row.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  );

  const missing = named.filter(
    (name) => globSync([`test/*/${name}.test.ts`, `test/${name}.test.ts`, name], { cwd: root }).length === 0,
  );

  expect(rows.length).toBeGreaterThan(15);
  expect(missing).toEqual([]);
});

test('no page names a path of the machine it was written on, or leaves work undone', () => {
  const lines = pages.flatMap((page) =>
    read(page)
      .split('\n')
      .map((text, index) => ({ at: `${page}:${index + 1}`, text })),
  );

  const found = lines.filter(({ text }) =>
    /(?:^|[\s`"'(])\/(?:work|root|home|tmp|Users)\/|\b(?:TODO|FIXME|TBD|XXX)\b|\bissue #\d|localhost:\d/.test(text),
  );

  expect(found).toEqual([]);
});
