/** One read by the LDAP source alone: options and demand are JSON in the arguments, what came is JSON on stdout. */
import type { Demand } from '../../src/domain/entry.ts';
import type { LdapOptions } from '../../src/domain/ldap-options.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';

const [optionsText = '', demandText = ''] = process.argv.slice(2);
const password = { reference: 'env:LDAP_PASSWORD', read: () => process.env.LDAP_PASSWORD ?? '' };
const options: LdapOptions = { ...JSON.parse(optionsText), bindPassword: password };
const demand: Demand = JSON.parse(demandText);
const say = (fields: object, message: string) => void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);

let members = 0;
let names = 0;
let steps = 0;
const source = createLdapSource(options, { debug() {}, info() {}, warn: say, error: say });
const { entries } = await source.read(
  demand,
  ({ groups, groupPaths }) => {
    names += groups.length;
    // Each grant asks for its path.
    for (const name of groups) steps += groupPaths?.to(name).length ?? 0;
    if (groups.length > 0) members += 1;
  },
  new AbortController().signal,
);
const { user, system } = process.cpuUsage();
process.stdout.write(JSON.stringify({ entries, members, names, steps, cpuSeconds: (user + system) / 1e6 }));
