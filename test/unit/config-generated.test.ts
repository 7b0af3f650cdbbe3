import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configurationJsonSchema, renderJsonSchema } from '../../src/config/json-schema.ts';
import { renderKeyReference } from '../../src/config/key-reference.ts';

const folder = join(import.meta.dirname, '..', '..', 'config');

/** `UPDATE_GOLDEN=1` writes the file anew, to be reviewed in the diff. */
function expectGenerated(name: string, text: string): void {
  const file = join(folder, name);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

interface Described {
  readonly description?: string;
  readonly properties?: Record<string, Described>;
  readonly items?: Described;
  readonly oneOf?: readonly Described[];
}

function* undescribed(path: string, schema: Described): Generator<string> {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    if (child.description === undefined) yield `${path}.${key}`;
    yield* undescribed(`${path}.${key}`, child);
  }
  if (schema.items !== undefined) yield* undescribed(`${path}[]`, schema.items);
  for (const member of schema.oneOf ?? []) yield* undescribed(path, member);
}

describe('what is generated from the configuration schema', () => {
  it('config/tdsync.schema.json is up to date', () => {
    expectGenerated('tdsync.schema.json', renderJsonSchema());
  });

  it('config/README.md is up to date', () => {
    expectGenerated('README.md', renderKeyReference());
  });

  it('describes every key', () => {
    expect([...undescribed('', configurationJsonSchema() as Described)]).toEqual([]);
  });

  it('mentions no secret by value: a secret key takes references only', () => {
    const schema = configurationJsonSchema() as {
      properties: { twilio: { properties: { oauth: { properties: { clientSecret: { pattern: string } } } } } };
    };
    const pattern = new RegExp(schema.properties.twilio.properties.oauth.properties.clientSecret.pattern);

    expect(pattern.test(`\${file:/run/secrets/x}`)).toBe(true);
    expect(pattern.test('hunter2')).toBe(false);
  });

  it('is valid Markdown tables: every row has the columns of its head', () => {
    const rows = renderKeyReference()
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.replaceAll('\\|', '').split('|').length - 2);

    expect(new Set(rows)).toEqual(new Set([2, 5]));
  });
});
