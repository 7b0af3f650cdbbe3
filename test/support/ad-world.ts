/** A world whose source is the Active Directory that docs/how-to/active-directory.md describes, on a Samba of the tests' own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { domainDn, servicePassword } from './active-directory-ldif.ts';
import type { Samba } from './samba.ts';
import { createWorld, type Sections, type World } from './world.ts';

const page = join(import.meta.dirname, '..', '..', 'docs', 'how-to', 'active-directory.md');

/** The page's configuration as sections, its names replaced by those of the test's domain. */
export function documentedSections(samba: Samba): Sections {
  const [, yaml = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(readFileSync(page, 'utf8')) ?? [];
  const text = yaml
    .replaceAll('ldaps://dc1.corp.example', samba.ldapsUrl)
    .replaceAll('DC=corp,DC=example', domainDn)
    .replaceAll('corp.example', 'example.com')
    .replaceAll('/run/secrets/ldap_password', 'ldap-password')
    .replaceAll('caFile: ca.pem', `caFile: ${samba.caFile}`)
    .replaceAll('AC00000000000000000000000000000001', 'Production');
  return parse(text) as Sections;
}

/** Small directories may change as a whole. */
const wide = { count: 1_000 };

export interface AdWorld extends World {
  /** Lays these keys over the documented source. */
  connect(source?: object): Promise<void>;
}

export async function createAdWorld(samba: Samba): Promise<AdWorld> {
  const world = await createWorld({ seed: { domains: ['example.com'] } });
  await world.write('ldap-password', servicePassword);
  const { source, ...sections } = documentedSections(samba);
  const connect = (changes: object = {}) =>
    world.configure({
      ...sections,
      source: { ...(source as object), ...changes },
      filter: undefined,
      guards: { deactivations: wide, revocations: wide, creations: wide, renames: wide, sourceShrink: wide },
    });
  await connect();
  return { ...world, connect };
}
