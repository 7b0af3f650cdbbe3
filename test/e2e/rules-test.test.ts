/** `tdsync test`: the rules asked about made-up people, with nothing there but two files. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const main = join(root, 'src', 'cli', 'main.ts');

/** A folder with the sample configuration alone: neither people nor snapshot, and no variable that holds a secret. */
function folderWith(fixtures: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-fixtures-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  copyFileSync(join(root, 'config', 'tdsync.yaml'), join(folder, 'tdsync.yaml'));
  writeFileSync(join(folder, 'people.yaml'), fixtures);
  return folder;
}

function tdsync(folder: string, ...args: readonly string[]) {
  const options = { cwd: folder, encoding: 'utf8', env: { PATH: process.env.PATH } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, '-c', 'tdsync.yaml', ...args], options);
  return { code: status, stdout, stderr };
}

const sample = readFileSync(join(root, 'config', 'people.test.yaml'), 'utf8');

test("the sample's people are as expected, without network, source, snapshot or secret", () => {
  const folder = folderWith(sample);

  const { code, stdout, stderr } = tdsync(folder, 'test', 'people.yaml');

  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^✓ a developer gets both accounts\n[^✗!]*\n9 of 9 as expected\n$/);
  expect(readdirSync(folder)).toEqual(['people.yaml', 'tdsync.yaml']);
});

test('what the documentation shows is as expected too', () => {
  const page = readFileSync(join(root, 'docs', 'how-to', 'test-your-rules.md'), 'utf8');
  const [, shown = ''] = /^```yaml\n(people:[\s\S]*?)^```$/m.exec(page) ?? [];

  const { code, stdout } = tdsync(folderWith(shown), 'test', 'people.yaml');

  expect(code, stdout).toBe(0);
});

test('a difference is shown with its line, and ends with 1', () => {
  const folder = folderWith(`people:
  - name: a supporter
    entry: { givenName: Ann, sn: Li, mail: ann@corp.example, employeetype: employee }
    groups: [twilio-users, twilio-support, Twilio_Developers]
    expect:
      user: { displayName: Ann Lee, locale: en }
      grants: [{ role: Support, scope: organization }]
  - entry: { mail: ben@corp.example }
    expect: out-of-scope
  - name: marked by the directory
    entry: { mail: cy@corp.example }
    groups: [twilio-users, twilio-admins]
    disabled: true
    expect: { active: false, grants: [] }
`);

  const { code, stdout } = tdsync(folder, 'test', 'people.yaml');
  const json = tdsync(folder, 'test', 'people.yaml', '--json');

  expect(code).toBe(1);
  expect(stdout).toBe(`✗ a supporter  people.yaml:2
    displayName  - Ann Lee
                 + Ann Li
    locale       - en
                 + (none)
    grant        - Support in organization
    grant        + Support in AC00000000000000000000000000000001  by twilio-support
✓ person 2
✓ marked by the directory
! people.yaml:2  no rule asks for the attribute employeetype; did you mean employeeType?
! people.yaml:2  no rule names the group Twilio_Developers; did you mean twilio-developers?

1 of 3 not as expected
`);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({
    version: 1,
    file: 'people.yaml',
    passed: false,
    people: [
      { name: 'a supporter', line: 2, passed: false, differences: [{ what: 'displayName' }, {}, {}, {}] },
      { name: 'person 2', line: 8, passed: true, differences: [] },
      { name: 'marked by the directory', passed: true },
    ],
    warnings: [{ line: 2 }, { line: 2 }],
  });
});

test('a broken file is refused with everything that is wrong with it, and ends with 64', () => {
  const folder = folderWith(`people:
  - entry: { employeeId: 12, mail: [a, 3] }
    expect: out-of-scop
  - entry: { a: b }
    group: [x]
    expect: { user: { mail: x }, finding: duplicate-address }
  - expect: {}
  - entry: {}
    expect: { message: x, active: "no" }
`);

  const { code, stdout, stderr } = tdsync(folder, 'test', 'people.yaml', '--json');

  expect(code).toBe(64);
  expect(stderr.trimEnd().split('\n')).toEqual([
    'tdsync: people.yaml:2: people[0].entry.employeeId: must be a text, not a number; put it in quotes',
    'tdsync: people.yaml:2: people[0].entry.mail[1]: must be a text, not a number; put it in quotes',
    'tdsync: people.yaml:3: people[0].expect: must be out-of-scope, not "out-of-scop"',
    'tdsync: people.yaml:5: people[1].group: is not a known key; did you mean groups?',
    expect.stringMatching(/people\.yaml:6: people\[1\]\.expect\.user\.mail: is not a known key/),
    'tdsync: people.yaml:6: people[1].expect.finding: must be one of invalid, unidentified, not "duplicate-address"',
    expect.stringMatching(/people\.yaml:6: people\[1\]\.expect: cannot have `finding` beside/),
    expect.stringMatching(/people\.yaml:7: people\[2\]\.entry: is required/),
    expect.stringMatching(/people\.yaml:7: people\[2\]\.expect: is empty/),
    'tdsync: people.yaml:9: people[3].expect.active: must be true or false, not a text',
    expect.stringMatching(/people\.yaml:9: people\[3\]\.expect: has `message`/),
  ]);
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'usage',
    issues: [{ line: 2 }, { line: 2 }, { line: 3 }, {}, {}, {}, {}, {}, {}, {}, {}],
  });
});

test('a file that is no YAML, or not there, ends with 64, and a broken configuration with 78', () => {
  const folder = folderWith('people: [\n');

  const broken = tdsync(folder, 'test', 'people.yaml');
  const missing = tdsync(folder, 'test', 'nobody.yaml');
  writeFileSync(join(folder, 'people.yaml'), sample);
  const text = readFileSync(join(folder, 'tdsync.yaml'), 'utf8');
  writeFileSync(join(folder, 'tdsync.yaml'), text.replace('filter: ', 'filter: "entry." #'));
  const configuration = tdsync(folder, 'test', 'people.yaml');

  expect([broken.code, missing.code, configuration.code]).toEqual([64, 64, 78]);
  expect(broken.stderr).toMatch(/people\.yaml:\d+: is not valid YAML/);
  expect(missing.stderr).toContain('nobody.yaml: cannot be read (ENOENT)');
  expect(configuration.stderr).toMatch(/tdsync\.yaml:\d+: filter: /);
});
