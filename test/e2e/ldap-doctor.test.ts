import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limitedDn, limitedPassword } from '../support/directory-ldif.ts';
import { createLdapWorld } from '../support/ldap-world.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';

interface DoctorDocument {
  readonly checks: readonly { check: string; state: string; message: string; hint?: string }[];
}

const groups = ['developers', 'operators'].map((name) => ({ name, kind: 'groupOfNames' as const, members: [0] }));

describe.skipIf(!slapdIsInstalled())('doctor looks at each directory server', () => {
  let slapd: Slapd;

  beforeAll(async () => {
    slapd = await startSlapd({ people: 2, groups });
  });

  afterAll(() => slapd.stop());

  test('and shows its certificates', async () => {
    await using world = await createLdapWorld(slapd);

    const run = await world.tdsync('doctor');

    expect(run.code).toBe(0);
    expect(run.stdout).toContain(`${slapd.ldapsUrl} answers with TLSv1.3, trusted`);
    expect(run.stdout).toMatch(/✓ certificate .* 1\. CN=server \(DNS:localhost, .*\), issued by CN=ca, valid from /);
    expect(run.stdout).toMatch(/✓ certificate .* 2\. CN=ca, self-signed, valid from /);
  });

  test('also when it is not trusted, which fails the check', async () => {
    await using world = await createLdapWorld(slapd, { tls: { caFile: slapd.otherCaFile } });

    const run = await world.tdsync('doctor', '--json');

    const checks = run.json<DoctorDocument>().checks.filter(({ check }) => /server|certificate|source/.test(check));
    expect(run.code).toBe(1);
    expect(checks).toMatchObject([
      { check: 'server', state: 'failed', message: expect.stringContaining('signed by an unknown CA') },
      { check: 'certificate', state: 'ok', message: expect.stringMatching(/^1\. CN=server /) },
      { check: 'certificate', state: 'ok', message: expect.stringMatching(/^2\. CN=ca, self-signed/) },
      { check: 'source', state: 'failed', hint: expect.stringContaining('tls.caFile') },
    ]);
  });

  test('with the authorities of the operating system, when told to', async () => {
    await using world = await createLdapWorld(slapd, { tls: { caFile: undefined, systemStore: true } });
    const trusting = { environment: { SSL_CERT_FILE: slapd.caFile, SSL_CERT_DIR: '/nowhere' } };

    const without = await world.tdsync('doctor');
    const run = await world.start(['doctor'], trusting).ended;

    expect(without.code).toBe(1);
    expect(without.stdout).toMatch(/signed by an unknown CA|the operating system trusts no authority/);
    expect([run.code, run.stdout]).toEqual([0, expect.stringContaining('answers with TLSv1.3, trusted')]);
  });

  test('and warns of one that is down while another one can be read', async () => {
    const dead = 'ldaps://127.0.0.1:1';
    await using world = await createLdapWorld(slapd, { url: [dead, slapd.ldapsUrl] });

    const run = await world.tdsync('doctor', '--json');

    const checks = run.json<DoctorDocument>().checks.filter(({ check }) => /server|source/.test(check));
    expect(run.code).toBe(0);
    expect(checks).toMatchObject([
      { check: 'server', state: 'warning', message: expect.stringContaining(`${dead}: connecting failed`) },
      { check: 'server', state: 'ok' },
      { check: 'source', state: 'ok', message: expect.stringContaining('complete read of 2 entries') },
    ]);
  });

  test('and what the account may do there: bases with counts, attributes with samples, groups, pages and limits', async () => {
    await using world = await createLdapWorld(slapd);

    const run = await world.tdsync('doctor');

    const lines = run.stdout.replaceAll(/ +/g, ' ');
    expect(run.code, run.stdout).toBe(0);
    expect(lines).toContain(
      '✓ base users below "ou=people,dc=example,dc=com" with filter (objectClass=inetOrgPerson): 2 entries',
    );
    expect(lines).toContain('✓ base groups below "ou=groups,dc=example,dc=com"');
    expect(lines).toContain(`✓ directory ${slapd.ldapsUrl} (OpenLDAP): pages, all values of an attribute at once`);
    expect(lines).toContain('✓ limits no size limit was met, not even without pages (2 entries)');
    expect(lines).toMatch(/✓ attribute mail: every entry, e\.g\. \S+@example\.com, \S+@example\.com/);
    expect(lines).toContain('✓ group developers: 1 member among the people');
    expect(lines).toContain('! attribute employeeType: no entry has it');
  });

  test('also with the limits of the account', async () => {
    await using limited = await startLimited();
    await using world = await createLdapWorld(limited.slapd, {
      bindDn: limitedDn,
      password: limitedPassword,
      pageSize: 20,
    });

    const run = await world.tdsync('doctor');

    expect(run.stdout).toContain('without pages this account gets 20 entries (sizeLimitExceeded (4))');
  });
});

/** A directory of which the limited account may read everybody, page by page only. */
async function startLimited(): Promise<{ readonly slapd: Slapd } & AsyncDisposable> {
  const slapd = await startSlapd({ people: 30, groups });
  return { slapd, [Symbol.asyncDispose]: () => slapd.stop() };
}
