import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { overrideVariables } from '../../src/config/environment.ts';
import { issuesOf, load, minimal, sections } from '../support/config-files.ts';

describe('environment variables', () => {
  it('take the place of what the file says, and are listed', () => {
    const { configuration, overrides } = load(minimal('log: { level: warn, format: pretty }\n'), {
      TDSYNC_LOG_LEVEL: 'debug',
      TDSYNC_TWILIO_REQUESTS_PER_SECOND: '2.5',
      TDSYNC_TWILIO_IAM_URL: 'http://127.0.0.1:1',
    });

    expect(configuration.log).toEqual({ level: 'debug', format: 'pretty' });
    expect(configuration.twilio.limits).toMatchObject({ requestsPerSecond: 2.5, maxConcurrent: 2, timeoutMs: 30_000 });
    expect(configuration.twilio.endpoints.iam).toBe('http://127.0.0.1:1');
    expect(overrides).toEqual([
      { variable: 'TDSYNC_LOG_LEVEL', path: 'log.level' },
      { variable: 'TDSYNC_TWILIO_REQUESTS_PER_SECOND', path: 'twilio.limits.requestsPerSecond' },
      { variable: 'TDSYNC_TWILIO_IAM_URL', path: 'twilio.endpoints.iam' },
    ]);
  });

  it('name paths from the working directory, not from the folder of the file', () => {
    const { configuration } = load(minimal(), {
      TDSYNC_SNAPSHOT_PATH: 'data/x.db',
      TDSYNC_SOURCE_USERS: '/in/people.csv',
    });

    expect(configuration.snapshot.path).toBe(resolve('data/x.db'));
    expect(configuration.source.options).toMatchObject({ users: '/in/people.csv' });
  });

  it('can bring a whole section', () => {
    const { configuration } = load(minimal(), {
      TDSYNC_SCHEDULE_CRON: '0 * * * *',
      TDSYNC_SCHEDULE_RUN_ON_START: 'false',
    });

    expect(configuration.schedule).toEqual({ cron: '0 * * * *', timezone: undefined, runOnStart: false, jitterMs: 0 });
  });

  it('that are set to nothing are not set', () => {
    const { configuration, overrides } = load(minimal(), { TDSYNC_LOG_LEVEL: '' });

    expect(configuration.log.level).toBe('info');
    expect(overrides).toEqual([]);
  });

  it('with a bad value are named, without a line of the file that says something else', () => {
    const issues = issuesOf(minimal('log: { level: warn }\n'), {
      TDSYNC_LOG_LEVEL: 'loud',
      TDSYNC_TWILIO_REQUESTS_PER_SECOND: 'many',
      TDSYNC_SCHEDULE_RUN_ON_START: 'yes',
    });

    expect(issues.toSorted()).toEqual([
      '- log.level: must be one of debug, info, warn, error, not "loud" (set by the environment variable TDSYNC_LOG_LEVEL)',
      '- schedule.cron: is required: when to run (because the environment variable TDSYNC_SCHEDULE_RUN_ON_START is set)',
      '- schedule.runOnStart: must be true or false, not a text (set by the environment variable TDSYNC_SCHEDULE_RUN_ON_START)',
      '- twilio.limits.requestsPerSecond: must be a number, not a text (set by the environment variable TDSYNC_TWILIO_REQUESTS_PER_SECOND)',
    ]);
  });

  it('of the other type of source are refused', () => {
    const issues = issuesOf(minimal(), { TDSYNC_SOURCE_URL: 'ldaps://x' });

    expect(issues).toEqual([
      '- : environment variable TDSYNC_SOURCE_URL is set, but only a source of type ldap has source.url',
    ]);
  });

  it('that mean nothing are errors, with the one that was meant', () => {
    const issues = issuesOf(minimal(), { TDSYNC_LOG_LEVL: 'debug', TDSYNC_ZZZZZZZZZZZZ: '1', OTHER: '1' });

    expect(issues).toEqual([
      '- : environment variable TDSYNC_LOG_LEVL has no meaning; did you mean TDSYNC_LOG_LEVEL?',
      '- : environment variable TDSYNC_ZZZZZZZZZZZZ has no meaning; config/README.md lists those there are',
    ]);
  });

  it('may be called anything when the file refers to them, or when Kubernetes sets them', () => {
    const twilio = sections.twilio.replace('CLIENT_SECRET', 'TDSYNC_CLIENT_SECRET');

    const { configuration } = load(minimal('', { twilio }), {
      TDSYNC_CLIENT_SECRET: 'hush',
      TDSYNC_CONFIG: 'x.yaml',
      TDSYNC_SERVICE_HOST: '10.0.0.1',
      TDSYNC_SERVICE_PORT_METRICS: '9464',
      TDSYNC_PORT: 'tcp://10.0.0.1:9464',
      TDSYNC_PORT_9464_TCP_ADDR: '10.0.0.1',
    });

    expect(configuration.twilio.oauth.clientSecret.read()).toBe('hush');
  });

  it('are each accepted with a value of their kind', () => {
    const values: Record<string, string> = {
      'log.level': 'error',
      'log.format': 'pretty',
      'schedule.cron': '1 2 3 4 5',
      'schedule.timezone': 'UTC',
      'schedule.runOnStart': 'true',
      'schedule.jitter': '3s',
      'server.listen': '0.0.0.0:9464',
      'source.url': 'ldap://127.0.0.1',
      'source.bindDn': 'cn=x',
      'twilio.organizationSid': `OR${'a'.repeat(32)}`,
      'twilio.limits.requestsPerSecond': '1',
      'twilio.limits.maxConcurrent': '3',
      'twilio.limits.timeout': '5s',
      'twilio.limits.maxThrottling': '10m',
      'twilio.limits.maxRunTime': '30m',
      'twilio.endpoints.generation': 'preview',
    };
    const bindable = sections.ldap.replace('users:', `bindPassword: "\${env:P}", users:`);
    const environmentFor = (other: 'csv' | 'ldap') =>
      Object.fromEntries(
        overrideVariables
          .filter(({ source }) => source !== other)
          .map(({ name, key, kind }) => [name, values[key] ?? (kind === 'path' ? '/x' : 'https://twilio.example')]),
      );

    const csv = load(minimal(), environmentFor('ldap'));
    const ldap = load(minimal('', { csv: bindable }), environmentFor('csv'));

    expect(new Set([...csv.overrides, ...ldap.overrides].map(({ variable }) => variable))).toEqual(
      new Set(overrideVariables.map(({ name }) => name)),
    );
  });
});
