/**
 * The configuration file's schema: the one source of its validation, of the JSON Schema that editors use and of the
 * key reference. It describes the file as people write it, with durations such as `30s` and references to secrets.
 */
import * as z from 'zod';
import { breaker } from './schema/breaker.ts';
import { notify } from './schema/notify.ts';
import { log, schedule, snapshot } from './schema/operation.ts';
import { guards, policy } from './schema/policy.ts';
import { attributes, filter, roles } from './schema/rules.ts';
import { server } from './schema/server.ts';
import { csvSource } from './schema/source-csv.ts';
import { ldapSource } from './schema/source-ldap.ts';
import { twilio } from './schema/twilio.ts';
import { whenObject } from './schema/values.ts';

const source = z
  .discriminatedUnion('type', [csvSource, ldapSource])
  .meta({ description: 'The authoritative directory.' });

const sections = z.strictObject({
  twilio,
  source,
  filter,
  attributes,
  roles,
  policy,
  guards,
  breaker,
  schedule,
  snapshot,
  server,
  notify,
  log,
});

/** The configuration file after validation, with defaults filled in. */
export type ConfigurationFile = z.output<typeof sections>;

export const configurationSchema = sections
  .refine((file) => !namesGroupInVain(file), {
    path: ['source'],
    error: 'has no groups, but a role rule names one: set `groups` (or, for a CSV source, `memberships`)',
    when: whenObject,
  })
  .superRefine(namesRolesInVain)
  .meta({ title: 'Configuration of twilio-directory-sync' });

/** Before the first call, and for `config check`: the list of roles that would resolve a name does not exist there. */
function namesRolesInVain(file: Partial<ConfigurationFile>, context: z.core.$RefinementCtx): void {
  if (file.twilio?.endpoints?.generation !== 'preview') return;
  const message =
    "must be a role's IX… SID: `twilio.endpoints.generation: preview` has no list of roles to look the name up in";
  const check = (name: unknown, path: (string | number)[]) => {
    if (typeof name === 'string' && !/^IX[0-9a-f]{32}$/.test(name)) context.addIssue({ code: 'custom', message, path });
  };
  file.roles?.forEach(({ grants }, rule) => {
    grants.forEach(({ role }, grant) => {
      check(role, ['roles', rule, 'grants', grant, 'role']);
    });
  });
  file.guards?.keepAtLeastOne.forEach((role, index) => {
    check(role, ['guards', 'keepAtLeastOne', index]);
  });
}

/** A rule's group could never be found, and the run would stop at it only after the source was read. */
function namesGroupInVain(file: Partial<ConfigurationFile>): boolean {
  const named = Array.isArray(file.roles) && file.roles.some((rule) => rule?.group !== undefined);
  const from = file.source;
  if (!named || (from?.type !== 'csv' && from?.type !== 'ldap')) return false;
  return from.groups === undefined && !(from.type === 'csv' && from.memberships !== undefined);
}
