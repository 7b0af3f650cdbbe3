import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';
import { checkSecrets, secretNotices } from '../../src/config/secret-checks.ts';
import { errorOf, issuesOf, load, minimal, sections, writeConfig } from '../support/config-files.ts';

function withSecret(reference: string): string {
  return minimal('', { twilio: sections.twilio.replace(`\${env:CLIENT_SECRET}`, reference) });
}

describe('a secret', () => {
  it('from the environment is read anew each time', () => {
    const environment = { CLIENT_SECRET: 'before' };
    const { clientSecret } = loadConfiguration(writeConfig(minimal()), environment).configuration.twilio.oauth;

    const first = clientSecret.read();
    environment.CLIENT_SECRET = 'after';

    expect([first, clientSecret.read()]).toEqual(['before', 'after']);
  });

  it('from a file is read anew each time, without the line break that ends it', () => {
    const file = writeConfig(withSecret(`\${file:secret}`));
    const secretFile = join(dirname(file), 'secret');
    const { clientSecret } = loadConfiguration(file, {}).configuration.twilio.oauth;
    writeFileSync(secretFile, '\uFEFF be fore \r\n');

    const first = clientSecret.read();
    writeFileSync(secretFile, 'after');

    expect([first, clientSecret.read()]).toEqual([' be fore ', 'after']);
  });

  it('that is missing says which variable or file, and what to do', () => {
    const folder = dirname(writeConfig(''));
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'empty'), '\n');
    const read = (reference: string, environment: Record<string, string>) =>
      errorOf(() => load(withSecret(reference), environment).configuration.twilio.oauth.clientSecret.read());

    const unset = read(`\${env:CLIENT_SECRET}`, {});
    const messages = [
      unset,
      read(`\${env:CLIENT_SECRET}`, { CLIENT_SECRET: '' }),
      read(`\${file:${folder}/none}`, {}),
      read(`\${file:${folder}/empty}`, {}),
      read(`\${file:${folder}/folder}`, {}),
    ].map((error) => error.message.replaceAll(folder, ''));

    expect(messages).toEqual([
      `twilio.oauth.clientSecret: \${env:CLIENT_SECRET}: the environment variable CLIENT_SECRET is not set`,
      `twilio.oauth.clientSecret: \${env:CLIENT_SECRET}: the environment variable CLIENT_SECRET is empty`,
      `twilio.oauth.clientSecret: \${file:/none}: the file does not exist`,
      `twilio.oauth.clientSecret: \${file:/empty}: the file is empty`,
      `twilio.oauth.clientSecret: \${file:/folder}: this is a folder, not a file`,
    ]);
    expect(unset.hint).toContain('Set CLIENT_SECRET for this process');
  });

  it.each([
    'hunter2',
    '12345678',
    `\${env:A}\${env:B}`,
    `x\${env:A}`,
    `\${env:1A}`,
    `\${file:}`,
    '$CLIENT_SECRET',
    `\${cmd:pass}`,
  ])('is refused when it is not one reference and nothing else: %s', (value) => {
    const issues = issuesOf(withSecret(value));

    expect(issues).toEqual([
      `3 twilio.oauth.clientSecret: must be a reference, \${env:NAME} or \${file:/path}: a secret itself is never accepted here`,
    ]);
  });

  it('is not repeated when it stands in the file, whatever its type and place', () => {
    const number = minimal('', { twilio: sections.twilio.replace(`"\${env:CLIENT_SECRET}"`, '1234567890') });
    const listed = minimal('', { twilio: sections.twilio.replace(`"\${env:CLIENT_SECRET}"`, '[hunter2]') });
    const clientId = minimal('', { twilio: sections.twilio.replace(`\${env:CLIENT_ID}`, 'hunter2') });
    const url = minimal('', { csv: sections.ldap.replace('ldaps://', 'ldaps://cn=x:hunter2@') });

    const messages = [number, listed, clientId, url].flatMap((text) => issuesOf(text));

    expect(messages).toHaveLength(4);
    expect(messages.join('\n')).not.toMatch(/hunter2|1234567890/);
  });

  it('never shows its value when the configuration is printed', () => {
    const file = writeConfig(withSecret(`\${file:secret}`));
    writeFileSync(join(dirname(file), 'secret'), 'hunter2');
    const { configuration } = loadConfiguration(file, { CLIENT_ID: 'hunter2' });
    configuration.twilio.oauth.clientSecret.read();

    const printed = [JSON.stringify(configuration), inspect(configuration, { depth: 9, showHidden: true })];

    for (const text of printed) {
      expect(text).toContain(`\${file:secret}`);
      expect(text).not.toContain('hunter2');
    }
  });

  it('need not be one where a client id is meant, which may stand in the file', () => {
    const id = `OQ${'0'.repeat(31)}1`;
    const text = minimal('', { twilio: sections.twilio.replace(`\${env:CLIENT_ID}`, id) });

    expect(load(text).configuration.twilio.oauth.clientId.read()).toBe(id);
  });
});

describe('checkSecrets', () => {
  it('says of each secret whether it resolves, without its value', () => {
    const csv = `source:
  type: ldap
  url: ldaps://ldap.corp.example
  bindDn: cn=sync,dc=corp
  bindPassword: \${file:password}
  users: { baseDn: dc=corp }
`;
    const { configuration } = load(minimal('', { csv }), { CLIENT_ID: 'hunter2' });

    const checks = checkSecrets(configuration);

    expect(checks.map(({ path, reference, resolves }) => [path, reference, resolves])).toEqual([
      ['twilio.oauth.clientId', `\${env:CLIENT_ID}`, true],
      ['twilio.oauth.clientSecret', `\${env:CLIENT_SECRET}`, false],
      ['source.bindPassword', `\${file:password}`, false],
    ]);
    expect(checks[2]?.message).toBe(`\${file:password}: the file does not exist`);
    expect(checks[2]?.hint).toContain('/password');
    expect(JSON.stringify(checks)).not.toContain('hunter2');
  });
});

describe('secretNotices', () => {
  it('points at a file that every user of the machine can read', () => {
    const file = writeConfig(withSecret(`\${file:secret}`));
    const secretFile = join(dirname(file), 'secret');
    writeFileSync(secretFile, 'hush');
    const { configuration } = loadConfiguration(file, {});
    const noticesFor = (mode: number) => {
      chmodSync(secretFile, mode);
      return secretNotices(configuration);
    };

    const open = noticesFor(0o644);
    const closed = noticesFor(0o640);
    rmSync(secretFile);

    expect(open).toEqual([
      {
        path: 'twilio.oauth.clientSecret',
        message: `\${file:secret}: every user of this machine can read the file (mode 0644)`,
        hint: `chmod o-r ${secretFile}`,
      },
    ]);
    expect(closed).toEqual([]);
    expect(secretNotices(configuration)).toEqual([]);
  });

  it.each([
    ['ldap://ldap.corp.example', '{ insecureClearText: true }', 1],
    ['ldap://ldap.corp.example', '{ startTls: true }', 0],
    ['ldaps://ldap.corp.example', '{}', 0],
    ['ldap://127.0.0.1:389', '{}', 0],
    ['ldap://LOCALHOST', '{}', 0],
  ])('points at a password sent in clear text: %s with tls %s', (url, tls, count) => {
    const csv = `source:
  { type: ldap, url: "${url}", tls: ${tls}, bindDn: cn=x, bindPassword: "\${env:P}", users: { baseDn: dc=corp } }
`;
    const { configuration } = load(minimal('', { csv }));

    const notices = secretNotices(configuration);

    expect(notices.map(({ path }) => path)).toEqual(Array(count).fill('source.url'));
  });
});
