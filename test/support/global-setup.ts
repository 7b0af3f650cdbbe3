import { ensureDs389 } from './ds389.ts';
import { ensureSamba } from './samba.ts';
import { ensureSlapd } from './slapd.ts';

/** Before all tests: the directory servers they run against. In CI leaving LDAP tests out is a failure. */
export function setup(): void {
  for (const [what, server] of [
    ['LDAP', ensureSlapd()],
    ['Active Directory', ensureSamba()],
    ['389 Directory Server', ensureDs389()],
  ] as const) {
    if (server.installed) continue;
    if (process.env.CI === 'true') throw new Error(`${what} tests cannot run: ${server.reason}`);
    process.stderr.write(`\n${what} tests against a real server are left out: ${server.reason}\n\n`);
  }
}
