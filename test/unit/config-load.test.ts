import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';
import type { LdapOptions } from '../../src/domain/ldap-options.ts';
import { compileRules } from '../../src/engine/compile.ts';
import { createConfigFolder, errorOf, load, minimal, sections, writeConfig } from '../support/config-files.ts';

const configFolder = join(import.meta.dirname, '..', '..', 'config');

describe('the files that come with the program', () => {
  it.each(['tdsync.yaml', 'ldap.example.yaml'])('%s is accepted, expressions included', (name) => {
    const { configuration, overrides } = loadConfiguration(join(configFolder, name), {});

    expect(compileRules(configuration.rules).issues).toEqual([]);
    expect(overrides).toEqual([]);
  });

  it('the sample reads the sample people and speaks to the simulator', () => {
    const { configuration } = loadConfiguration(join(configFolder, 'tdsync.yaml'), {});

    expect(configuration.source).toMatchObject({ type: 'csv', options: { users: join(configFolder, 'people.csv') } });
    expect(Object.values(configuration.twilio.endpoints)).toEqual(Array(3).fill('http://127.0.0.1:8580'));
    expect(configuration.snapshot.path).toBe(resolve(configFolder, '../data/tdsync.db'));
  });
});

describe('loadConfiguration', () => {
  it('fills in the safe defaults', () => {
    const { configuration } = load(minimal());

    expect(configuration.rules).toEqual({
      organization: 'OR00000000000000000000000000000001',
      filter: undefined,
      attributes: { userName: { attribute: 'mail' } },
      roles: [],
      policy: {
        mode: 'sync',
        adoptExisting: false,
        leavers: 'deactivate',
        confirmAbsence: 1,
        drift: 'overwrite',
        protect: [],
        recreateGone: false,
      },
      guards: {
        deactivations: { count: 25, percent: 10 },
        revocations: { count: 50, percent: 20 },
        roleRevocations: { percent: 50 },
        creations: { count: 100 },
        renames: { count: 10, percent: 5 },
        adoptions: { count: 50 },
        sourceShrink: { percent: 20 },
        gone: { count: 25, percent: 10 },
        keepAtLeastOne: [],
      },
      onRefusal: 'stop',
    });
    expect(configuration.twilio.endpoints).toEqual({
      iam: 'https://iam.twilio.com',
      oauth: 'https://oauth.twilio.com',
      accounts: 'https://preview-iam.twilio.com',
    });
    expect(configuration.twilio.limits).toEqual({
      requestsPerSecond: 5,
      maxConcurrent: 2,
      timeoutMs: 30_000,
      maxThrottlingMs: 300_000,
    });
    expect(configuration.snapshot).toMatchObject({
      refreshUsersMs: 0,
      refreshAssignmentsMs: 86_400_000,
      keepRunsMs: 90 * 86_400_000,
    });
    expect(configuration.schedule).toBeUndefined();
    expect(configuration.log).toEqual({ level: 'info', format: 'json' });
  });

  it('resolves paths from the folder of the file, wherever the program runs', () => {
    const csv = 'source: { type: csv, users: in/people.csv, id: id, memberships: m.csv, expectRowsFrom: /var/n }\n';
    const file = writeConfig(minimal('', { csv }));

    const { configuration } = loadConfiguration(relative(process.cwd(), file), {});

    const folder = dirname(file);
    expect(configuration.source.options).toMatchObject({
      users: join(folder, 'in/people.csv'),
      memberships: join(folder, 'm.csv'),
      expectRowsFrom: '/var/n',
    });
    expect(configuration.snapshot.path).toBe(join(folder, '../data/tdsync.db'));
  });

  it('turns an LDAP section into options with every default filled in', () => {
    const ldap = `source:
  type: ldap
  url: ldap://127.0.0.1:3890
  bindDn: cn=sync,dc=corp,dc=example
  bindPassword: \${env:LDAP_PASSWORD}
  tls: { caFile: ca.pem }
  users: { baseDn: [ou=a,dc=corp, ou=b,dc=corp] }
  groups: { baseDn: ou=groups,dc=corp }
`
      .replace('[ou=a,dc=corp, ou=b,dc=corp]', '["ou=a,dc=corp", "ou=b,dc=corp"]')
      .replace('ou=groups,dc=corp', '"ou=groups,dc=corp"');
    const file = writeConfig(minimal('', { csv: ldap }));

    const { source } = loadConfiguration(file, { LDAP_PASSWORD: 'hush' }).configuration;

    const { bindPassword, ...options } = source.options as LdapOptions;
    expect(bindPassword?.read()).toBe('hush');
    expect(options).toEqual({
      urls: ['ldap://127.0.0.1:3890'],
      bindDn: 'cn=sync,dc=corp,dc=example',
      tls: { caFile: join(dirname(file), 'ca.pem'), startTls: false, systemStore: false, minVersion: 'TLSv1.2' },
      users: {
        baseDn: ['ou=a,dc=corp', 'ou=b,dc=corp'],
        filter: '(objectClass=inetOrgPerson)',
        scope: 'sub',
        id: 'entryUUID',
        disabled: 'none',
      },
      groups: {
        baseDn: ['ou=groups,dc=corp'],
        filter: '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))',
        scope: 'sub',
        name: 'cn',
        membership: ['member'],
        uid: 'uid',
        nested: 'none',
        primaryGroup: false,
      },
      referrals: 'refuse',
      pageSize: 1000,
      timeouts: { connectMs: 10_000, operationMs: 300_000, readMs: 3_600_000 },
    });
  });

  it('tells an attribute from an expression by the equals sign', () => {
    const attributes = 'attributes: { userName: " mail ", displayName: "= entry.cn", active: "=  true " }\n';

    const { configuration } = load(minimal('', { attributes }));

    expect(configuration.rules.attributes).toEqual({
      userName: { attribute: 'mail' },
      displayName: { expression: 'entry.cn' },
      active: { expression: 'true' },
    });
  });

  it('replaces both defaults of a guard that is set, and only of that one', () => {
    const { configuration } = load(minimal('guards: { deactivations: { count: 3 } }\n'));

    expect(configuration.rules.guards.deactivations).toEqual({ count: 3 });
    expect(configuration.rules.guards.renames).toEqual({ count: 10, percent: 5 });
  });

  it.each([
    ['500ms', 500],
    ['0s', 0],
    ['1.5h', 5_400_000],
    ['15m', 900_000],
    ['90d', 7_776_000_000],
  ])('reads the duration %s as %i milliseconds', (text, ms) => {
    const { configuration } = load(minimal(`snapshot: { refreshUsers: ${text} }\n`));

    expect(configuration.snapshot.refreshUsersMs).toBe(ms);
  });

  it('locates keys by dotted paths, list items and attribute names with dots included', () => {
    const { locate } = load(`${sections.twilio}${sections.ldap}
attributes:
  userName: mail
  name.givenName: givenName
policy:
  mode: sync
roles:
  - when: "true"
    grants:
      - { role: A, scope: organization }
      - scope: organization
        role: B
`);

    expect(locate('attributes.name.givenName')).toBe(8);
    expect(locate('roles[0]')).toBe(12);
    expect(locate('roles[0].grants[1].role')).toBe(16);
    expect(locate('policy')).toBe(9);
    expect(locate('policy.drift')).toBeUndefined();
    expect(locate('roles[7].grants')).toBeUndefined();
    expect(locate('snapshot.path')).toBeUndefined();
  });

  it('follows YAML anchors, so that a list of grants can be written once', () => {
    const more = `roles:
  - when: entry.a == "x"
    grants: &both
      - { role: Developer, scope: organization }
  - when: entry.b == "x"
    grants: *both
`;

    const { configuration, locate } = load(minimal(more));

    expect(configuration.rules.roles[1]?.grants).toEqual([{ role: 'Developer', scope: 'organization' }]);
    expect(locate('roles[1].grants[0].role')).toBe(10);
  });
});

describe('a file that cannot be read', () => {
  it('is named, with the ways to name another', () => {
    const error = errorOf(() => loadConfiguration('/nowhere/tdsync.yaml', {}));

    expect(error.message).toBe('/nowhere/tdsync.yaml: there is no such configuration file');
    expect(error.hint).toContain('--config FILE');
    expect(error.hint).toContain('TDSYNC_CONFIG');
  });

  it('may be a folder', () => {
    const folder = join(createConfigFolder(), 'sub');
    mkdirSync(folder);

    const error = errorOf(() => loadConfiguration(folder, {}));

    expect(error.message).toContain('is a folder');
  });

  it('may be in an encoding other than UTF-8, which would garble names', () => {
    const file = join(createConfigFolder(), 'latin1.yaml');
    writeFileSync(file, Buffer.from('twilio: Jos\xe9', 'latin1'));

    const error = errorOf(() => loadConfiguration(file, {}));

    expect(error.message).toContain('is not in UTF-8');
  });

  it.skipIf(process.getuid?.() === 0)('may belong to somebody else', () => {
    const file = writeConfig(minimal());
    chmodSync(file, 0o000);

    const error = errorOf(() => loadConfiguration(file, {}));

    expect(error.message).toContain('may not be read by this user');
  });
});
