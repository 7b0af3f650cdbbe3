import * as z from 'zod';
import { expression, text, whenObject } from './values.ts';

export const filter = expression()
  .optional()
  .meta({
    description:
      'Which entries are in scope: a CEL expression over `entry` (the attributes) and `groups` (the names of the groups). When not set, everybody.',
    examples: ['entry.employeeType != "contractor"'],
  });

/** An attribute's name, or `=` and a CEL expression. */
function mapping(description: string, example: string) {
  return z
    .string()
    .regex(/^\s*(?:[^=\s].*|=\s*\S.*)$/s, {
      error: 'must be the name of a source attribute, or = and a CEL expression',
    })
    .meta({ title: 'attribute or = CEL', description, examples: [example] });
}

export const attributes = z
  .strictObject({
    userName: mapping('Address by which the person signs in; the primary e-mail follows it.', 'mail'),
    'name.givenName': mapping('Given name.', 'givenName').optional(),
    'name.familyName': mapping('Family name.', 'sn').optional(),
    displayName: mapping('Name as shown.', '= entry.givenName + " " + entry.sn').optional(),
    locale: mapping('Language and region (RFC 5646).', '= "en-US"').optional(),
    timezone: mapping('Time zone (IANA).', '= "Europe/Lisbon"').optional(),
    active: mapping(
      'Whether the person may sign in. When not mapped, everybody in scope may.',
      '= entry.accountStatus != "disabled"',
    ).optional(),
  })
  .meta({
    description:
      'SCIM attributes (RFC 7643 section 4.1) and where their values come from: the name of a source attribute, or `=` and a CEL expression. An attribute that is not listed stays as it is in Twilio.',
  });

const role = text('role name or IX SID')
  .refine((value) => !isBrokenSid('IX', value), {
    error: 'looks like a role SID, but is not IX and 32 digits 0-9 or a-f',
  })
  .meta({
    description: 'Role by its name, as `tdsync roles` lists it, or by its SID.',
    examples: ['Developer'],
  });

const scope = text('AC SID, account name or organization')
  .refine((value) => !isBrokenSid('AC', value), {
    error: 'looks like an account SID, but is not AC and 32 digits 0-9 or a-f',
  })
  .refine((value) => !/^OR[0-9a-f]{32}$/i.test(value), { error: 'must be written `organization` for the organization' })
  .meta({
    description: "Where the role applies: an account's SID or name, or `organization`.",
    examples: ['AC00000000000000000000000000000001'],
  });

/** Meant as a SID, since hardly any name is that long and made of hex digits alone, yet not one that Twilio would send. */
function isBrokenSid(prefix: string, value: string): boolean {
  return new RegExp(`^${prefix}[0-9a-f]{20,}$`, 'i').test(value) && !new RegExp(`^${prefix}[0-9a-f]{32}$`).test(value);
}

const rule = z
  .strictObject({
    group: text('group name or DN')
      .optional()
      .meta({
        description: 'Members of this group get the grants. The group must exist in the source.',
        examples: ['twilio-developers'],
      }),
    when: expression()
      .optional()
      .meta({
        description: 'Entries for which this is true get the grants. With `group`, both must hold.',
        examples: ['entry.department == "Finance"'],
      }),
    grants: z
      .array(z.strictObject({ role, scope }))
      .min(1)
      .meta({ title: 'list', description: 'What they get: roles, each with its scope.' }),
  })
  .refine((value) => value.group !== undefined || value.when !== undefined, {
    error: 'needs `group` or `when`: who gets these grants?',
    when: whenObject,
  })
  .meta({ anyOf: [{ required: ['group'] }, { required: ['when'] }] });

export const roles = z.array(rule).default([]).meta({
  title: 'list',
  description:
    'Who gets which roles. Only roles and scopes named here, or assigned by this program before, are ever taken away.',
});
