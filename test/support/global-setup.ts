import { ensureSlapd } from './slapd.ts';

/** Before all tests: the directory server they run against. In CI leaving LDAP tests out is a failure. */
export function setup(): void {
  const slapd = ensureSlapd();
  if (slapd.installed) return;
  if (process.env.CI === 'true') throw new Error(`LDAP tests cannot run: ${slapd.reason}`);
  process.stderr.write(`\nLDAP tests against a real server are left out: ${slapd.reason}\n\n`);
}
