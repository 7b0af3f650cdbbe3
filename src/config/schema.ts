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
  .meta({ title: 'Configuration of twilio-directory-sync' });

/** A rule's group could never be found, and the run would stop at it only after the source was read. */
function namesGroupInVain(file: Partial<ConfigurationFile>): boolean {
  const named = Array.isArray(file.roles) && file.roles.some((rule) => rule?.group !== undefined);
  const from = file.source;
  if (!named || (from?.type !== 'csv' && from?.type !== 'ldap')) return false;
  return from.groups === undefined && !(from.type === 'csv' && from.memberships !== undefined);
}
