import { describe, expect, it } from 'vitest';
import { errorOf, issuesOf, load, minimal, sections } from '../support/config-files.ts';

describe('a configuration with mistakes', () => {
  it('lists all of them at once, in the order of the file', () => {
    const issues = issuesOf(`twilio:
  organisationSid: OR00000000000000000000000000000001
  oauth:
    clientId: OQ00000000000000000000000000000001
  limits: { requestsPerSecond: 0.01, timeout: 30 }
source:
  type: ldap
  url: https://ldap.corp.example
  bindDn: cn=sync,dc=corp
  users: { baseDn: [people], filter: (a=b }
attributes:
  name: { givenName: cn }
roles:
  - grants: []
policy:
  mode: snyc
guards: { renames: {} }
server: { listen: 9464 }
sevrer: {}
`);

    expect(issues).toEqual([
      '1 twilio.organizationSid: is required: the organization whose people are kept in step',
      '2 twilio.organisationSid: is not a known key; did you mean organizationSid?',
      '3 twilio.oauth.clientSecret: is required: client secret of that app',
      '5 twilio.limits.requestsPerSecond: must be at least 0.1',
      '5 twilio.limits.timeout: must have a unit, such as 30s or 30m',
      '6 source.bindPassword: is required with bindDn',
      '8 source.url: must be ldaps://host, ldap://host, either with a port, or ldaps+srv://domain, ldap+srv://domain, and nothing after it',
      '10 source.users.baseDn[0]: must be a distinguished name, e.g. ou=people,dc=corp,dc=example',
      '10 source.users.filter: must be an LDAP filter with balanced parentheses, e.g. (objectClass=person) (RFC 4515)',
      '11 attributes.userName: is required: address by which the person signs in',
      '12 attributes.name: is not a known key; did you mean name.givenName?',
      '14 roles[0].grants: must have at least one item',
      '14 roles[0]: needs `group` or `when`: who gets these grants?',
      '16 policy.mode: must be one of sync, upsert-only, create-only, not "snyc"; did you mean sync?',
      '17 guards.renames: needs `count`, `percent` or both',
      '18 server.listen: must be a text, not a number; put it in quotes',
      '19 sevrer: is not a known key; did you mean server?',
    ]);
  });

  it('names the file as it was given, and the line', () => {
    const error = errorOf(() => load(minimal('log: { level: loud }\n')));

    expect(error.issues[0]?.file).toMatch(/tdsync\.yaml$/);
    expect(error.message).toMatch(/tdsync\.yaml:7: log\.level: must be one of debug, info, warn, error, not "loud"$/);
  });

  it.each([
    ['policy: {}', 'policy.mode: is required: one of sync, upsert-only, create-only'],
    ['log: { level: DEBUG }', 'log.level: must be one of debug, info, warn, error, not "DEBUG"; did you mean debug?'],
    ['log:', 'log: has no value; give it one, or remove the key'],
    ['log: json', 'log: must be a section with keys of its own, not a text'],
    ['filter: true', 'filter: must be a text, not true or false; put it in quotes'],
    ['roles: { group: a }', 'roles: must be a list, not a section with keys of its own'],
    ['guards: { creations: { count: -1 } }', 'guards.creations.count: must be at least 0'],
    ['guards: { creations: { count: 1.5 } }', 'guards.creations.count: must be a whole number'],
    ['guards: { creations: { percent: 101 } }', 'guards.creations.percent: must be at most 100'],
    [
      'guards: { holders: [Owner] }',
      'guards.holders: is not a known key; guards can also have deactivations, revocations, roleRevocations, creations, renames, adoptions, sourceShrink, gone, keepAtLeastOne, onRefusal',
    ],
    [
      'snapshot: { keepRuns: 90 days }',
      'snapshot.keepRuns: must be a number with a unit, such as 500ms, 30s, 15m, 24h or 90d',
    ],
    [
      'schedule: { cron: every day }',
      'schedule.cron: is not a cron expression: five fields, minute hour day month weekday, e.g. "*/15 * * * *"',
    ],
    [
      'schedule: { cron: "* * * * *", timezone: Lisbon }',
      'schedule.timezone: is not a time zone of the IANA database, e.g. Europe/Lisbon or UTC',
    ],
    [
      'schedule: { cron: "* * * * *", timezone: "+02:00" }',
      'schedule.timezone: is not a time zone of the IANA database, e.g. Europe/Lisbon or UTC',
    ],
  ])('%s is refused with a remedy', (section, message) => {
    const text = section.startsWith('policy') ? minimal('', { policy: `${section}\n` }) : minimal(`${section}\n`);

    const issues = issuesOf(text);

    expect(issues.map((issue) => issue.replace(/^\d+ /, ''))).toEqual([message]);
  });

  it.each([
    ['http://iam.twilio.com', false],
    ['https://iam.twilio.com/v2', false],
    ['https://iam.twilio.com?x', false],
    ['https://user:pass@iam.twilio.com', false],
    ['iam.twilio.com', false],
    ['http://localhost.evil.example', false],
    ['https://proxy.corp.example:8443/', true],
    ['http://127.0.0.1:8580', true],
    ['http://[::1]:8580', true],
    ['http://localhost:8580', true],
  ])('the endpoint %s is accepted: %s', (url, accepted) => {
    const twilio = `${sections.twilio}  endpoints: { iam: "${url}" }\n`;

    const issues = accepted ? [] : issuesOf(minimal('', { twilio }));

    if (accepted) expect(load(minimal('', { twilio })).configuration.twilio.endpoints.iam).toBe(new URL(url).origin);
    else expect(issues).toEqual([expect.stringContaining('4 twilio.endpoints.iam: must be https://host')]);
  });

  it('without a list of roles, names of roles are refused, each at its place', () => {
    const twilio = `${sections.twilio}  endpoints: { generation: preview }\n`;
    const role = `IX${'1'.repeat(32)}`;
    const grants = `[{ role: Developer, scope: organization }, { role: ${role}, scope: organization }]`;
    const rules = `roles: [{ when: "true", grants: ${grants} }]\nguards: { keepAtLeastOne: [${role}, Owner] }\n`;

    const issues = issuesOf(minimal(rules, { twilio }));

    expect(issues).toEqual([
      expect.stringContaining("roles[0].grants[0].role: must be a role's IX… SID: `twilio.endpoints.generation"),
      expect.stringContaining("guards.keepAtLeastOne[1]: must be a role's IX… SID"),
    ]);
  });

  it.each([
    ['current', 'https://iam.twilio.com'],
    ['preview', 'https://preview-iam.twilio.com'],
  ])('the %s generation is spoken with %s unless another host is named', (generation, iam) => {
    const endpoints = (more: string) => `${sections.twilio}  endpoints: { generation: ${generation}${more} }\n`;
    const iamOf = (more: string) => load(minimal('', { twilio: endpoints(more) })).configuration.twilio.endpoints.iam;

    expect([iamOf(''), iamOf(', iam: "https://proxy.example"')]).toEqual([iam, 'https://proxy.example']);
  });

  it('the endpoint of another machine may be http:// when that is written down', () => {
    const endpoints = '{ iam: "http://simulator:8580", insecureHttp: true }';
    const { twilio } = load(minimal('', { twilio: `${sections.twilio}  endpoints: ${endpoints}\n` })).configuration;

    expect(twilio).toMatchObject({ insecureHttp: true, endpoints: { iam: 'http://simulator:8580' } });
  });

  it.each([
    ['ldap://ldap.corp.example', '{}', false],
    ['ldap+srv://corp.example', '{}', false],
    ['ldap://127.0.0.1.corp.example', '{}', false],
    ['ldap://ldap.corp.example', '{ startTls: true }', true],
    ['ldap://ldap.corp.example', '{ insecureClearText: true }', true],
    ['ldaps://ldap.corp.example', '{}', true],
    ['ldap://[::1]', '{}', true],
    ['ldap://localhost:3890', '{}', true],
  ])('a password for %s with tls %s is accepted: %s', (url, tls, accepted) => {
    const keys = `tls: ${tls}, bindDn: "cn=x", bindPassword: "\${env:P}", users: { baseDn: "dc=x" }`;
    const text = minimal('', { csv: `source: { type: ldap, url: "${url}", ${keys} }\n` });

    if (accepted) expect(load(text).configuration.source.type).toBe('ldap');
    else expect(issuesOf(text)).toEqual([expect.stringContaining('source.url: would send the password of bindDn')]);
  });

  it.each([
    ['{ role: IX12345678901234567890123, scope: organization }', 'role: looks like a role SID'],
    ['{ role: Developer, scope: AC0000000000000000000000000000000G1 }', undefined],
    ['{ role: Developer, scope: AC000000000000000000000000000000001 }', 'scope: looks like an account SID'],
    ['{ role: Developer, scope: AC0000000000000000000000000000000A }', 'scope: looks like an account SID'],
    ['{ role: Developer, scope: OR00000000000000000000000000000001 }', 'scope: must be written `organization`'],
    ['{ role: Developer, scope: ACME }', undefined],
  ])('the grant %s: %s', (grant, message) => {
    const text = minimal(`roles: [{ when: "true", grants: [${grant}] }]\n`);

    const issues = message === undefined ? [] : issuesOf(text);

    if (message === undefined) expect(load(text).configuration.rules.roles).toHaveLength(1);
    else expect(issues).toEqual([expect.stringContaining(`7 roles[0].grants[0].${message}`)]);
  });

  it('finds that a rule names a group and the source has none', () => {
    const rule = 'roles: [{ group: developers, grants: [{ role: Developer, scope: organization }] }]\n';

    expect(issuesOf(minimal(rule))).toEqual([
      expect.stringContaining('4 source: has no groups, but a role rule names one'),
    ]);
    expect(issuesOf(minimal(rule, { csv: sections.ldap }))).toHaveLength(1);
    const withGroups = sections.csv.replace(' }', ', groups: { column: groups } }');
    expect(load(minimal(rule, { csv: withGroups })).configuration.rules.roles).toHaveLength(1);
  });

  it.each([
    [`users: { baseDn: "dc=x" }, bindPassword: "\${env:P}"`, 'source.bindDn: is required with bindPassword'],
    ['users: { baseDn: "dc=x" }, tls: { startTls: true }', 'source.tls.startTls: is for ldap:// only'],
    ['users: { baseDn: [] }', 'source.users.baseDn: must have at least one item'],
    ['users: { baseDn: 1 }', 'source.users.baseDn: must be a text, not a number'],
    ['users: { baseDn: [dc=x, 1] }', 'source.users.baseDn[1]: must be a text, not a number'],
    ['users: { baseDn: "dc=x" }, pageSize: 10001', 'source.pageSize: must be at most 10000'],
    ['users: { baseDn: "dc=x" }, preset: novell', 'source.preset: must be one of'],
    ['users: { baseDn: "dc=x" }, tls: { certFile: c.pem }', 'source.tls.certFile: and keyFile belong together'],
    ['users: { baseDn: "dc=x", filter: (a=b)(c=d) }', 'source.users.filter: must be an LDAP filter'],
  ])('an LDAP source with %s is refused', (keys, message) => {
    const csv = `source: { type: ldap, url: "ldaps://ldap.corp.example", ${keys} }\n`;

    const issues = issuesOf(minimal('', { csv }));

    expect(issues).toEqual([expect.stringContaining(`4 ${message}`)]);
  });

  it('an LDAP source whose servers are partly encrypted is refused', () => {
    const csv = 'source: { type: ldap, url: ["ldaps+srv://corp.example", "ldap://dc1"], users: { baseDn: "dc=x" } }\n';

    expect(issuesOf(minimal('', { csv }))).toEqual([expect.stringContaining('source.url: mixes ldaps:// and ldap://')]);
  });

  it.each([
    ['source: { users: people.csv, id: x }', 'source.type: is required: one of csv, ldap'],
    ['source: { type: CVS, users: people.csv }', 'source.type: must be one of csv, ldap, not "CVS"; did you mean csv?'],
    ['source: { type: csv, users: p, id: x, delimiter: ";;" }', 'source.delimiter: must be one character'],
    ['source: { type: csv, users: p, id: x, encoding: utf8 }', 'source.encoding: must be one of utf-8, utf-16, '],
    ['source: { type: csv, users: p, id: x, minRows: 0 }', 'source.minRows: must be at least 1'],
    ['source: { type: csv, users: p, id: x, url: "ldap://x" }', 'source.url: is not a known key'],
  ])('%s is refused', (csv, message) => {
    const issues = issuesOf(minimal('', { csv: `${csv}\n` }));

    expect(issues).toEqual([expect.stringContaining(`4 ${message}`)]);
  });

  it('refuses references where no secret belongs, since they would be taken literally', () => {
    const issues = issuesOf(
      minimal(`filter: entry.x == "\${env:X}"\n`, { csv: sections.csv.replace('people.csv', `"\${file:/p}"`) }),
    );

    expect(issues).toEqual([
      expect.stringContaining(`4 source.users: cannot refer to \${env:…} or \${file:…}: only secrets can`),
      expect.stringContaining('7 filter: cannot refer to'),
    ]);
  });
});

describe('text that is not the YAML that was meant', () => {
  it.each([
    ['filter: "a" in groups', 1, 'something stands after the end of a value'],
    ['filter: entry.a ? b : c', 1, 'a value that holds ": " must stand in quotes'],
    ['filter: !has(entry.a)', 1, 'a value that starts with ! must stand in quotes'],
    ['filter: *x', 1, 'a value that starts with * must stand in quotes'],
    ['filter: @x', 1, 'a value that starts with @ or ` must stand in quotes'],
    ['a: 1\n\tb: 2', 2, 'indented with spaces'],
    ['a: "b\\q"', 1, 'unknown escape'],
    ['a: 1\n---\nb: 2', 2, 'more than one document'],
    ['a: &x [*x]', 1, 'an alias holds itself'],
    ['a:\n - b\n c: 3', 3, 'is not valid YAML'],
  ])('%j is explained', (text, line, message) => {
    const error = errorOf(() => load(text));

    expect(error.issues[0]).toMatchObject({ line });
    expect(error.issues[0]?.message).toContain(message);
  });

  it('shows every duplicate key with both lines', () => {
    const issues = issuesOf('a: 1\nb:\n  c: 1\n  c: 2\na: 2\n');

    expect(issues).toEqual([
      '4 b.c: stands here a second time; first on line 3',
      '5 a: stands here a second time; first on line 1',
    ]);
  });

  it.each([
    ['', 'is empty'],
    ['# nothing\n', 'is empty'],
    ['- a\n', 'must hold keys and values, such as `twilio:`'],
    ['just text\n', 'must hold keys and values, such as `twilio:`'],
  ])('%j is no configuration', (text, message) => {
    expect(errorOf(() => load(text)).issues[0]?.message).toBe(message);
  });

  it('stops at aliases that multiply without measure', () => {
    const levels = Array.from(
      { length: 9 },
      (_, i) => `k${i}: &k${i} [${Array(9).fill(i === 0 ? 'x' : `*k${i - 1}`)}]`,
    );

    expect(errorOf(() => load(levels.join('\n'))).message).toContain('aliases');
  });

  it('never repeats a piece of the file that may be a secret', () => {
    const texts = ['clientSecret: "hush-hush" hush-hush', 'clientSecret: [hush-hush', '"hush-hush', 'a: |hush-hush\n'];

    const messages = texts.map((text) => errorOf(() => load(text)).message);

    expect(messages.join('\n')).not.toContain('hush');
  });
});
