/** Whatever happens in a directory, in whatever order, and whichever reads are confirmed: asked for changes or for everything, it is the same. */
import fc from 'fast-check';
import { Client } from 'ldapts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groupsDn, peopleDn, personDn, suffix } from '../support/directory-ldif.ts';
import { incrementalSource } from '../support/incremental.ts';
import { demandOf, ldapOptions } from '../support/ldap-reading.ts';
import { administerDirectory, type DirectoryAdministration } from '../support/ldap-world.ts';
import { holdsAsync } from '../support/properties.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';

const places = [peopleDn, `ou=first,${peopleDn}`, `ou=second,${peopleDn}`, `ou=empty,${suffix}`];
const names = ['developers', 'operators', 'strangers'];
const strangers = `cn=strangers,${groupsDn}`;

interface Directory {
  readonly change: DirectoryAdministration;
  exists(dn: string): Promise<boolean>;
  isMember(group: string, dn: string): Promise<boolean>;
}

/**
 * One thing that happens, where it can: slapd learns of a write only after a refused one has left its queue, so that the write
 * shows with the next one. What is refused would make the test depend on that.
 */
interface Step {
  happen(directory: Directory): Promise<void>;
  [fc.toStringMethod](): string;
}

function step(text: string, happen: Step['happen']): Step {
  return { happen, [fc.toStringMethod]: () => text };
}

function parentOf(dn: string): string {
  return dn.slice(dn.indexOf(',') + 1);
}

async function move({ exists, change }: Directory, from: string, to: string): Promise<void> {
  const within = to === from || to.endsWith(`,${from}`);
  if (!within && (await exists(from)) && (await exists(parentOf(to))) && !(await exists(to)))
    await change.rename(from, to);
}

const place = fc.constantFrom(...places);
const person = fc
  .tuple(fc.constantFrom('anna', 'ben', 'cleo', 'dora', 'emil'), place)
  .map(([uid, base]) => `uid=${uid},${base}`);
const group = fc.constantFrom(...names.map((name) => `cn=${name},${groupsDn}`));

const steps: fc.Arbitrary<Step> = fc.oneof(
  person.map((dn) =>
    step(`add ${dn}`, async ({ exists, change }) => {
      const uid = dn.slice(4, dn.indexOf(','));
      const attributes = { objectClass: 'inetOrgPerson', uid, cn: uid, sn: uid, mail: `${uid}@example.com` };
      if ((await exists(parentOf(dn))) && !(await exists(dn))) await change.add(dn, attributes);
    }),
  ),
  person.map((dn) =>
    step(`remove ${dn}`, async ({ exists, change }) => {
      if (await exists(dn)) await change.remove(dn);
    }),
  ),
  fc
    .tuple(person, person)
    .map(([from, to]) => step(`rename ${from} to ${to}`, (directory) => move(directory, from, to))),
  fc.tuple(person, fc.constantFrom('Agent', 'Lead', 'Nobody')).map(([dn, title]) =>
    step(`title ${title} for ${dn}`, async ({ exists, change }) => {
      if (await exists(dn)) await change.replace(dn, 'title', title);
    }),
  ),
  fc.tuple(group, person).map(([to, dn]) =>
    step(`${dn} joins or leaves ${to}`, async ({ exists, isMember, change }) => {
      if (await isMember(to, dn)) await change.leave(to, dn);
      else if (await exists(to)) await change.join(to, dn);
    }),
  ),
  person.map((dn) =>
    step(`make or remove the group of ${dn}`, async ({ exists, change }) => {
      if (await exists(strangers)) await change.remove(strangers);
      else await change.add(strangers, { objectClass: 'groupOfNames', cn: 'strangers', member: [personDn(0), dn] });
    }),
  ),
  fc
    .tuple(fc.constantFrom('first', 'second'), place, place)
    .map(([ou, from, to]) =>
      step(`move ${ou} from ${from} to ${to}`, (directory) => move(directory, `ou=${ou},${from}`, `ou=${ou},${to}`)),
    ),
);

const history = fc.array(fc.record({ happened: fc.array(steps, { maxLength: 4 }), confirmed: fc.boolean() }), {
  minLength: 1,
  maxLength: 6,
});

describe.skipIf(!slapdIsInstalled()).each([
  ['deletions', 'syncprov-sessionlog 1000'],
  ['what is present', ''],
])('a server that reports %s', (_name, syncprov) => {
  let slapd: Slapd;
  let client: Client;
  let directory: Directory;

  beforeAll(async () => {
    const units = ['first', 'second'].map(
      (ou) => `dn: ou=${ou},${peopleDn}\nobjectClass: organizationalUnit\nou: ${ou}\n\n`,
    );
    const groups = names.map((name) => ({ name, kind: 'groupOfNames', members: [0] }) as const);
    slapd = await startSlapd({ people: 3, groups, more: units.join(''), syncprov, log: false });
    client = new Client({ url: slapd.ldapUrl });
    const count = async (base: string, filter: string) =>
      (await client.search(base, { scope: 'sub', filter, attributes: ['1.1'] })).searchEntries.length;
    directory = {
      change: await administerDirectory(slapd),
      exists: async (dn) => (await count(suffix, `(entryDN=${dn})`)) > 0,
      isMember: async (dn, member) => (await count(groupsDn, `(&(entryDN=${dn})(member=${member}))`)) > 0,
    };
  });
  afterAll(async () => {
    await client?.unbind();
    await directory?.change[Symbol.asyncDispose]();
    await slapd?.stop();
  });

  test('is read incrementally as it is read in full', async () => {
    const options = ldapOptions(slapd.ldapUrl, {
      users: { filter: '(&(objectClass=inetOrgPerson)(!(title=Nobody)))' },
    });
    const demand = demandOf({ attributes: ['cn', 'mail', 'title'], groups: ['developers'], allGroups: true });
    const source = incrementalSource(options, { demand });
    await source.readAndConfirm();
    let incremental = 0;

    await holdsAsync(
      fc.asyncProperty(history, async (periods) => {
        for (const { happened, confirmed } of periods) {
          for (const { happen } of happened) await happen(directory);
          const seen = await source.read();
          if (confirmed) source.confirm();
          if (seen.manner?.manner === 'incremental') incremental += 1;
          expect(seen.entries).toEqual(await source.everything());
        }
      }),
      30,
    );

    expect(incremental).toBeGreaterThan(20);
  });
});
