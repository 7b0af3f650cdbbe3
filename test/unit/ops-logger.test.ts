import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, TargetAuthError } from '../../src/errors.ts';
import { createLogger, type LoggerOptions } from '../../src/ops/logger.ts';
import type { Logger } from '../../src/ports.ts';

function logged(log: (logger: Logger) => void, options: Partial<LoggerOptions> = {}): string {
  let text = '';
  const destination = { write: (line: string) => (text += line) };
  log(createLogger({ level: 'info', format: 'json', destination, ...options }));
  return text;
}

function fieldsOf(fields: object): Record<string, unknown> {
  const { time: _time, level: _level, msg: _msg, ...rest } = JSON.parse(logged((logger) => logger.info(fields, 'm')));
  return rest;
}

describe('the JSON log', () => {
  it('is one object per line: level, time, bindings, fields, message', () => {
    const text = logged((logger) => logger.warn({ operation: 'o1' }, 'late'), { bindings: { run: 'r1' } });

    expect(text.endsWith('}\n')).toBe(true);
    expect(JSON.parse(text)).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      run: 'r1',
      operation: 'o1',
      msg: 'late',
    });
  });

  it('leaves out what is below its level', () => {
    const text = logged(
      (logger) => {
        logger.debug({}, 'no');
        logger.info({}, 'no');
        logger.error({}, 'yes');
      },
      { level: 'warn' },
    );

    expect(text.match(/yes|no/g)).toEqual(['yes']);
  });

  it('says of an error what it is, why and what to do, and nothing that a library hung on it', () => {
    const cause = Object.assign(new Error('refused'), {
      request: { headers: { authorization: 'Bearer x' }, body: 'b' },
    });

    const { error } = fieldsOf({
      error: new TargetAuthError('no', { hint: 'try', status: 401, requestId: 'RQ1', cause }),
    });

    expect(error).toEqual({
      type: 'TargetAuthError',
      code: 'twilio-unauthorized',
      message: 'no',
      hint: 'try',
      status: 401,
      requestId: 'RQ1',
      stack: expect.any(String),
      cause: { type: 'Error', message: 'refused', stack: expect.any(String) },
    });
  });

  it('survives a circle', () => {
    const circle: Record<string, unknown> = { name: 'c' };
    circle.self = circle;

    expect(JSON.stringify(fieldsOf({ circle }))).toContain('[too deep]');
  });
});

describe('secrets', () => {
  it.each([
    'authorization',
    'Authorization',
    'Proxy-Authorization',
    'clientSecret',
    'client_secret',
    'bindPassword',
    'password',
    'token',
    'accessToken',
    'refresh_token',
    'cookie',
    'set-cookie',
    'apiKey',
  ])('under the key %s are redacted at every depth', (key) => {
    const deep = { a: { b: [{ c: { [key]: 'hunter2' } }] } };

    const text = JSON.stringify([
      fieldsOf({ [key]: 'hunter2' }),
      fieldsOf(deep),
      fieldsOf({ x: { [key]: ['hunter2'] } }),
    ]);

    expect(text).not.toContain('hunter2');
    expect(text.match(/\[redacted\]/g)).toHaveLength(3);
  });

  it.each([
    'Authorization: Bearer hunter2hunter2',
    'authorization: basic aHVudGVyMjpodW50ZXIy',
    'token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.aHVudGVyMg',
    'ldaps://cn=sync:hunter2@ldap.corp.example',
    'grant_type=client_credentials&client_secret=hunter2&client_id=OQ1',
  ])('within a text are redacted too: %s', (text) => {
    const lines = [
      logged((logger) => logger.info({ detail: text }, 'm')),
      logged((logger) => logger.info({}, text)),
      logged((logger) => logger.info({ error: new Error(text) }, 'm'), { format: 'pretty' }),
    ];

    for (const line of lines) {
      expect(line).toContain('[redacted]');
      expect(line).not.toMatch(/hunter2|aHVudGVyM/);
    }
  });

  it('by reference show the reference', () => {
    class Reference {
      toJSON(): string {
        return `\${env:X}`;
      }
    }

    expect(fieldsOf({ oauth: { client: new Reference() } })).toEqual({ oauth: { client: `\${env:X}` } });
  });

  it('that are missing are seen to be missing', () => {
    expect(fieldsOf({ bindPassword: null, token: '' })).toEqual({ bindPassword: null, token: '' });
  });

  it('keep lines readable as JSON whatever is logged', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (fields, message) => {
        const { __proto__: _, ...safe } = fields;

        const text = logged((logger) => logger.info(safe, `${message} Bearer abcdefgh12 ://u:p@h`));

        expect(text.split('\n')).toHaveLength(2);
        expect(JSON.parse(text).msg).toContain('[redacted]');
      }),
      { numRuns: 200, seed: 20260601 },
    );
  });
});

describe('the pretty log', () => {
  const pretty = (log: (logger: Logger) => void, options: Partial<LoggerOptions> = {}) =>
    logged(log, { format: 'pretty', ...options }).replace(/\d{4}-[\dT:.-]+Z/, 'TIME');

  it('is one line for people', () => {
    const line = pretty((logger) => logger.info({ run: 'r1', n: 3, dn: 'cn=a b', list: ['x'] }, 'run started'));

    expect(line).toBe('TIME info  run started run=r1 n=3 dn="cn=a b" list=["x"]\n');
  });

  it('says of an error what it says, without its stack', () => {
    const error = new ConfigError([
      { path: 'a', message: 'is wrong' },
      { path: 'b', message: 'too' },
    ]);

    const line = pretty((logger) => logger.error({ error }, 'stopped'));

    expect(line).toBe('TIME error stopped error="config: a: is wrong\\nb: too"\n');
  });

  it('lets nothing from a directory break the line or steer the terminal', () => {
    const line = pretty((logger) => logger.info({ dn: 'x\u001b[31m\u009b', name: 'a\u202eb' }, 'one\ntwo\u001b[2J'));

    expect(line).toBe('TIME info  one\\u000atwo\\u001b[2J dn=x\\u001b[31m\\u009b name=a\\u202eb\n');
  });

  it('has colours only where they are allowed', () => {
    const log = (logger: Logger) => logger.error({ a: 1 }, 'm');

    expect(pretty(log)).not.toContain('\u001b[');
    expect(pretty(log, { colour: true })).toContain('\u001b[31merror\u001b[39m');
  });
});
