/** What others can make large has a limit, and the limit is named. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readKeyChanges } from '../../src/cli/key-changes-file.ts';
import { readPlanFile } from '../../src/cli/plan-file.ts';
import { FileTooLargeError, readBounded } from '../../src/config/bounded-file.ts';
import { readSavedEntries } from '../../src/config/saved-entries.ts';
import { secretForms, withoutSecrets } from '../../src/domain/secret.ts';
import { compileExpression } from '../../src/engine/expression.ts';
import { ConfigError } from '../../src/errors.ts';
import { checkProxies, rememberProxies } from '../../src/ops/proxies.ts';
import { forgetSecrets, rememberSecret, withoutKnownSecrets } from '../../src/ops/redaction.ts';
import { errorOf, issuesOf, load, minimal, sections } from '../support/config-files.ts';

function written(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-bounds-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'file');
  writeFileSync(file, content);
  return file;
}

describe('a file', () => {
  test('is read up to its limit, and not beyond, device or not', () => {
    const file = written('x'.repeat(100_000));

    expect(readBounded(file, 100_000)).toHaveLength(100_000);
    expect(() => readBounded(file, 99_999)).toThrow(FileTooLargeError);
    expect(() => readBounded('/dev/zero', 1024 * 1024)).toThrow('is larger than 1 MiB');
    expect(readBounded('/dev/null', 10)).toHaveLength(0);
  });

  test('without end is no plan, no list of people and no secret', () => {
    const twilio = sections.twilio.replace(`\${env:CLIENT_SECRET}`, `\${file:/dev/zero}`);
    const { clientSecret } = load(minimal('', { twilio })).configuration.twilio.oauth;

    expect(() => readKeyChanges('/dev/null')).toThrow('a header line with two columns');
    expect(() => readPlanFile('/dev/zero')).toThrow('larger than 512 MiB');
    expect(() => readSavedEntries('/dev/zero', 'id')).toThrow('larger than 16 MiB');
    expect(() => clientSecret.read()).toThrow('larger than 64 KiB, so it is no secret');
  });

  test.each([
    ['nested', `a: ${'['.repeat(3_000)}`, 'is nested too deeply'],
    [
      'nested in blocks',
      Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
      'is nested too deeply',
    ],
    [
      'a billion laughs',
      Array.from({ length: 60 }, (_, n) => `a${n}: &a${n} [*a${n - 1},*a${n - 1},*a${n - 1}]`)
        .join('\n')
        .replaceAll('*a-1', 'x'),
      'more than 100 aliases',
    ],
    ['many aliases', `a: &a x\nb: [${Array(5_000).fill('*a').join(',')}]`, 'more than 100 aliases'],
    ['large', minimal(`#${'x'.repeat(1024 * 1024)}`), 'larger than 1 MiB'],
    ['wrong in every line', 'a: b: c\n'.repeat(500), 'more mistakes'],
  ])('of the configuration that is %s is refused', (_what, text, message) => {
    expect(issuesOf(text).join('\n')).toContain(message);
  });
});

describe('an expression', () => {
  const hostile = `${'a'.repeat(20_000)}!`;

  test.each([
    ['matches("^(a+)+$")', false],
    ['matches("(.*)(.*)(.*)=x")', false],
    ['matches("^(a|aa)*b?!$")', true],
  ])('is answered however the text tempts its pattern: %s', (call, answer) => {
    expect(compileExpression(`entry.mail.${call}`, 'bool').evaluate({ mail: hostile }, [])).toBe(answer);
  });

  test.each([
    ['entry.mail.matches(entry.pattern)', 'must stand in quotes'],
    ['entry.mail.matches("(?=a)b")', 'invalid or unsupported Perl syntax'],
    ['entry.mail.matches("(a)\\\\1")', 'invalid escape sequence'],
    ['entry.mail.matches("(a{999}){999}")', 'invalid repeat count'],
    ['entry.mail.matches("[a")', 'missing closing ]'],
    ['entry.mail.matches("a)")', 'unexpected )'],
    ['groups.all(a, groups.all(b, groups.all(c, true)))', 'stands within 2 other loops'],
    [Array(3_000).fill('true').join(' || '), 'maxAstNodes'],
    [`${'('.repeat(200)}true${')'.repeat(200)}`, 'maxDepth'],
  ])('without a bound is refused: %s', (text, message) => {
    expect(() => compileExpression(text, 'bool')).toThrow(message);
  });
});

describe('a secret', () => {
  const value = 'p+ss/w0rd="x"é';

  test.each([
    ['as it is', value],
    ['in a URL', encodeURIComponent(value)],
    ['in a form', new URLSearchParams({ a: value }).toString().slice(2)],
    ['in JSON', JSON.stringify(value)],
    ['in hex', Buffer.from(value).toString('hex')],
    ...['', 'u:', 'us:'].map((user) => [
      `in base64 after "${user}"`,
      Buffer.from(`${user}${value}:x`).toString('base64'),
    ]),
  ])('is taken out of a text %s', (_how, form) => {
    const rest = withoutSecrets(`<${form}>`, [value]);

    expect(rest).toContain('[secret]');
    for (const each of secretForms(value)) expect(rest).not.toContain(each);
  });

  test('that is a short word is left, because messages are made of words', () => {
    expect(withoutSecrets('the code is 12345', ['code', '12345'])).toBe('the code is 12345');
  });

  test('that was read is taken out of whatever is written, a password of a proxy included', () => {
    onTestFinished(forgetSecrets);
    rememberSecret('first-secret');
    rememberProxies({ HTTPS_PROXY: 'http://user:pa%24%24word@proxy.example:3128', OTHER: 'http://x:harmless@y' });

    expect(withoutKnownSecrets('first-secret pa%24%24word pa$$word harmless')).toBe(
      '[redacted] [redacted] [redacted] harmless',
    );
  });
});

test('a variable that is no proxy is refused, and not repeated', () => {
  const error = errorOf(() =>
    checkProxies({ https_proxy: 'user:secret@proxy:3128', HTTP_PROXY: 'http://p:1', NO_PROXY: '*' }),
  );

  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toBe('the environment variable https_proxy is not the URL of a proxy');
});
