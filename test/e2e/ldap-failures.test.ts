/** A directory that cannot be read to its end changes nothing: exit 5, and a message that says what to mend. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groupsDn, limitedDn, limitedPassword, peopleDn, personDn, suffix, syncDn } from '../support/directory-ldif.ts';
import { historyOf } from '../support/in-process.ts';
import { administerDirectory, createLdapWorld, type LdapWorld, type SourceChanges } from '../support/ldap-world.ts';
import { type OrganizationPicture, pictureOf } from '../support/organization.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';
import type { ErrorDocument, Sections } from '../support/world.ts';

describe.skipIf(!slapdIsInstalled())('a run against OpenLDAP', () => {
  let slapd: Slapd;
  let world: LdapWorld;
  let before: OrganizationPicture;

  beforeAll(async () => {
    slapd = await startSlapd({
      people: 60,
      groups: [
        { name: 'developers', kind: 'groupOfNames', members: [0, 1, 2] },
        { name: 'operators', kind: 'groupOfNames', members: [2, 3] },
      ],
    });
    world = await createLdapWorld(slapd);
    const { code, stderr } = await world.tdsync('reconcile');
    if (code !== 0) throw new Error(stderr);
    before = pictureOf(world.twilio);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await slapd.stop();
  });

  /** Whatever the directory said, nobody was harmed, and the history knows. */
  async function failure(changes: SourceChanges, sections: Sections = {}) {
    await world.connect(changes, sections);
    world.twilio.requests.clear();
    const { code, stderr, json } = await world.tdsync('reconcile', '--json');
    const { error } = json<ErrorDocument>();
    expect(world.twilio.requests.writes).toBe(0);
    expect(pictureOf(world.twilio)).toEqual(before);
    expect(historyOf(world)[0]?.summary).toMatchObject({ status: 'failed', error: { code: error.code } });
    expect(stderr).toContain(error.message.split('\n')[0]);
    return { exit: code, ...error };
  }

  test.each<[string, () => SourceChanges, { readonly code: string; readonly message: string; readonly hint?: string }]>(
    [
      [
        'whose password is wrong',
        () => ({ password: 'not the password' }),
        { code: 'source-unavailable', message: `refuses the bind as ${syncDn}: invalidCredentials (49)` },
      ],
      [
        'whose certificate nobody vouches for',
        () => ({ tls: { caFile: slapd.otherCaFile } }),
        { code: 'source-unavailable', message: 'signed by an unknown CA', hint: 'caFile' },
      ],
      [
        'whose certificate nobody vouches for, by StartTLS',
        () => ({ url: slapd.ldapUrl, tls: { caFile: slapd.otherCaFile, startTls: true } }),
        { code: 'source-unavailable', message: 'signed by an unknown CA', hint: 'caFile' },
      ],
      [
        'whose certificate is for another name',
        () => ({ tls: { serverName: 'dc1.corp.example' } }),
        { code: 'source-unavailable', message: 'dc1.corp.example' },
      ],
      [
        'whose base does not exist',
        () => ({ users: { baseDn: `ou=staff,${suffix}` } }),
        { code: 'source-incomplete', message: `the deepest entry that exists is ${suffix}` },
      ],
      [
        'whose base for groups does not exist',
        () => ({ groups: { baseDn: `ou=teams,${suffix}` } }),
        { code: 'source-incomplete', message: `ou=teams,${suffix}` },
      ],
      [
        'whose filter matches nobody',
        () => ({ users: { filter: '(uid=nobody)' } }),
        { code: 'source-incomplete', message: 'match nobody' },
      ],
      [
        'which shows only a part to this account',
        () => ({ bindDn: limitedDn, password: limitedPassword, pageSize: 50 }),
        { code: 'source-incomplete', message: 'LimitExceeded', hint: 'raise the limit' },
      ],
      [
        'which nobody listens for',
        () => ({ url: 'ldaps://127.0.0.1:1' }),
        { code: 'source-unavailable', message: 'ldaps://127.0.0.1:1' },
      ],
    ],
  )('%s ends with exit 5 and changes nothing', async (_name, changes, expected) => {
    const error = await failure(changes());

    expect(error.exit).toBe(5);
    expect(error.code).toBe(expected.code);
    expect(error.message).toContain(expected.message);
    if (expected.hint !== undefined) expect(error.hint).toContain(expected.hint);
    expect(JSON.stringify(error)).not.toContain('not the password');
  });

  test('with a rule for a group that does not exist ends with exit 5, names it and what is near', async () => {
    const roles = [{ group: 'developer', grants: [{ role: 'Developer', scope: 'Production' }] }];

    const error = await failure({}, { roles });

    expect([error.exit, error.code]).toEqual([5, 'source-incomplete']);
    expect(error.message).toContain('"developer" (there is "developers")');
  });

  test('changes nothing when a group of a rule was renamed, and goes on when it is back', async () => {
    await using directory = await administerDirectory(slapd);
    await directory.rename(`cn=operators,${groupsDn}`, `cn=night-operators,${groupsDn}`);

    const error = await failure({});
    await directory.rename(`cn=night-operators,${groupsDn}`, `cn=operators,${groupsDn}`);
    const next = await world.tdsync('reconcile', '--json');

    expect([error.exit, error.code]).toEqual([5, 'source-incomplete']);
    expect(error.message).toContain('"operators"');
    expect(next.json<{ status: string }>().status).toBe('converged');
  });

  test('refuses to act on a base that was moved away with everybody in it', async () => {
    await using directory = await administerDirectory(slapd);
    await directory.add(`ou=moved,${suffix}`, { objectClass: 'organizationalUnit', ou: 'moved' });
    await directory.rename(peopleDn, `ou=people,ou=moved,${suffix}`);

    const error = await failure({});
    await directory.rename(`ou=people,ou=moved,${suffix}`, peopleDn);
    const next = await world.tdsync('reconcile', '--json');

    expect([error.exit, error.code]).toEqual([5, 'source-incomplete']);
    expect(next.json<{ status: string }>().status).toBe('converged');
  });

  test('leaves alone everybody whose entry cannot be read as a person, and says so', async () => {
    await using directory = await administerDirectory(slapd);
    await directory.replace(personDn(7), 'mail');
    await directory.replace(personDn(8), 'mail', 'u000009@example.com');
    await world.connect();
    world.twilio.requests.clear();

    const run = await world.tdsync('reconcile', '--json');
    await directory.replace(personDn(7), 'mail', 'u000007@example.com');
    await directory.replace(personDn(8), 'mail', 'u000008@example.com');

    const { findings } = run.json<{ findings: readonly { code: string; message: string }[] }>();
    expect(run.code, run.stderr).toBe(0);
    expect(findings.map(({ code }) => code).toSorted()).toEqual(['duplicate-address', 'duplicate-address', 'invalid']);
    expect(findings.find(({ code }) => code === 'invalid')?.message).toContain(personDn(7));
    expect(world.twilio.requests.writes).toBe(0);
    expect(pictureOf(world.twilio)).toEqual(before);
  });

  test('ends with exit 5 when the server is gone', async () => {
    await slapd.kill();

    const error = await failure({});

    expect([error.exit, error.code]).toEqual([5, 'source-unavailable']);
    expect(error.message).toContain(slapd.ldapsUrl);
  });
});
