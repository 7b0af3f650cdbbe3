import * as z from 'zod';
import { fixtureFindings } from '../domain/fixture.ts';
import { textAttributes } from '../domain/user.ts';
import { flag, text, whenObject } from './schema/values.ts';

const value = z.union([z.string(), z.array(z.string())]);

const user = z
  .strictObject(
    Object.fromEntries(textAttributes.map((name) => [name, z.string().nullable().optional()])) as Record<
      (typeof textAttributes)[number],
      z.ZodOptional<z.ZodNullable<z.ZodString>>
    >,
  )
  .optional();

const outcome = z
  .strictObject({
    user,
    active: flag().optional(),
    grants: z.array(z.strictObject({ role: text('role'), scope: text('scope') })).optional(),
    finding: z.enum(fixtureFindings).optional(),
    message: text().optional(),
  })
  .refine((expected) => Object.keys(expected).length > 0, {
    error: 'is empty: write `out-of-scope`, or at least one of user, active, grants and finding',
    when: whenObject,
  })
  .refine(
    ({ finding, user, active, grants }) =>
      finding === undefined || (user === undefined && active === undefined && grants === undefined),
    {
      error: 'cannot have `finding` beside user, active or grants: who is a finding is left as in Twilio',
      when: whenObject,
    },
  )
  .refine(({ finding, message }) => message === undefined || finding !== undefined, {
    error: 'has `message`, which goes with `finding`',
    when: whenObject,
  });

const person = z.strictObject({
  name: text().optional().meta({ description: 'What the test shows.' }),
  id: z.string().optional(),
  entry: z.record(z.string(), value).meta({ description: 'The attributes of the made-up entry.' }),
  groups: z.array(text('group')).default([]),
  disabled: flag().default(false),
  expect: z
    .union([outcome, z.literal('out-of-scope')])
    .meta({ description: '`out-of-scope`, or a section with user, active, grants or finding.' }),
});

/** A file of made-up people, each with what the rules are expected to make of the person. */
export const fixtureFileSchema = z.strictObject({
  people: z.array(person).min(1).meta({ description: 'The made-up people.' }),
});

export type FixturePerson = z.output<typeof person>;

/** The same people as entries of a saved directory: nothing needs to be expected of them. */
export const savedPersonSchema = person.partial({ expect: true });
export const savedFileSchema = z.strictObject({
  people: z.array(savedPersonSchema).min(1).meta({ description: 'The people.' }),
});
