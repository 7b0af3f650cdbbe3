import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readKeyChanges } from '../../src/cli/key-changes-file.ts';
import { readPlanFile } from '../../src/cli/plan-file.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { readFixtures } from '../../src/config/fixture-file.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { readSavedEntries } from '../../src/config/saved-entries.ts';
import { clearTextNotices } from '../../src/config/secret-checks.ts';
import { compileRules } from '../../src/engine/compile.ts';
import { ConfigError } from '../../src/errors.ts';
import { fuzz } from '../support/fuzz.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tdsync-fuzz-files-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, input: Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, input);
  return file;
}

const yamlWords = [
  '\n',
  ': ',
  '- ',
  '&a ',
  '*a',
  '{',
  '}',
  '[',
  '[[[[[[',
  ']',
  '"',
  "'",
  '|',
  '>-',
  '!!binary ',
  '<<: *a',
  '? ',
  '---\n',
  '%',
  '#',
  '\t',
  '~',
  '0x1',
  '1e400',
  `\${env:X}`,
  '__proto__: ',
  'constructor: ',
  'ldap://x',
  '= entry.a + ',
  '\u0000',
  '\u2028',
];

test('a configuration is loaded with its rules, or refused with what is wrong', async () => {
  const tried = await fuzz(
    {
      name: 'configuration',
      words: yamlWords,
      run(input) {
        const { configuration, locate } = loadConfiguration(written('tdsync.yaml', input), {});
        clearTextNotices(configuration);
        for (const { path } of compileRules(configuration.rules).issues) locate(path);
      },
      expects: (error) => error instanceof ConfigError,
    },
    120,
  );

  expect(tried).toBeGreaterThan(10);
});

test('made-up people are read, or refused with what is wrong', async () => {
  const tried = await fuzz(
    {
      name: 'people',
      words: [...yamlWords, '"entry":', '"__proto__":{}'],
      run(input) {
        const problems = [
          () => readFixtures(written('people.yaml', input), 'employeeId'),
          () => readSavedEntries(written('people.yaml', input), 'employeeId'),
          () => readSavedEntries(written('people.jsonl', input), 'employeeId'),
        ].flatMap((read) => {
          try {
            read();
            return [];
          } catch (error) {
            return error instanceof ConfigError ? [] : [error];
          }
        });
        if (problems.length > 0) throw problems[0];
      },
      expects: () => false,
    },
    80,
  );

  expect(tried).toBeGreaterThan(3);
});

test('files of plans and of key changes are read, or refused as no such file', async () => {
  const tried = await fuzz(
    {
      name: 'command-files',
      words: [
        'null',
        '[]',
        '{}',
        '"',
        ',',
        '[[[[',
        '"__proto__":',
        '"operations":',
        '"digest":',
        '\n',
        ';',
        '1e999',
        '{"a":',
      ],
      run(input) {
        const problems = [readPlanFile, readKeyChanges].flatMap((read) => {
          try {
            read(written('file', input));
            return [];
          } catch (error) {
            return error instanceof UsageError ? [] : [error];
          }
        });
        if (problems.length > 0) throw problems[0];
      },
      expects: () => false,
    },
    400,
  );

  expect(tried).toBeGreaterThan(3);
});
