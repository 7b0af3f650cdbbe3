import * as z from 'zod';
import { flag, text, whenObject, wholeNumber } from './values.ts';

export const policy = z
  .strictObject({
    mode: z.enum(['sync', 'upsert-only', 'create-only']).meta({
      description:
        'What may be done: everything; all but deactivating and revoking; or only creating people. It has no default because it must be decided upon.',
      examples: ['sync'],
    }),
    adoptExisting: flag().default(false).meta({
      description:
        'Link a Twilio user who is not managed yet to the entry with the same address, and manage that user from then on.',
    }),
    leavers: z.enum(['deactivate', 'revoke-only', 'report']).default('deactivate').meta({
      description: 'What happens to people who are out of scope, disabled or gone from the source.',
    }),
    confirmAbsence: wholeNumber(1, 100).default(1).meta({
      description: 'Complete reads in a row that an entry must be missing from before its person counts as gone.',
    }),
    drift: z.enum(['overwrite', 'report']).default('overwrite').meta({
      description:
        'What happens when somebody changed a mapped attribute or a managed grant in Twilio: the next run makes it as wanted (`overwrite`), or leaves it and lists it (`report`). What changes in the source or the rules applies either way, and people who have left lose access.',
    }),
    protect: z
      .array(text('address, external id or US SID'))
      .default([])
      .meta({
        title: 'list',
        description: 'People who are never changed: by address, by key in the source, or by user SID.',
        examples: [['owner@corp.example']],
      }),
    recreateGone: flag().default(false).meta({
      description: 'Create a managed person anew when Twilio no longer knows the user.',
    }),
  })
  .meta({ description: 'What the program may do.' });

interface Limit {
  readonly count?: number;
  readonly percent?: number;
}

function guard(limit: Limit, counted: string, base: string) {
  return z
    .strictObject({
      count: wholeNumber(0)
        .optional()
        .meta({ description: `At most so many ${counted}.` }),
      percent: z
        .number()
        .min(0)
        .max(100)
        .optional()
        .meta({ title: 'number', description: `The same in percent of ${base}.` }),
    })
    .refine((value) => value.count !== undefined || value.percent !== undefined, {
      error: 'needs `count`, `percent` or both',
      when: whenObject,
    })
    .default(limit)
    .meta({
      description: `Limit for ${counted}.`,
      anyOf: [{ required: ['count'] }, { required: ['percent'] }],
    });
}

const managed = 'the people managed';

export const guards = z
  .strictObject({
    deactivations: guard({ count: 25, percent: 10 }, 'people deactivated', managed),
    revocations: guard({ count: 50, percent: 20 }, 'people who lose a role', managed),
    roleRevocations: guard({ percent: 50 }, 'people who lose one role in one scope', 'the people who hold it'),
    creations: guard({ count: 100 }, 'people created', managed),
    renames: guard({ count: 10, percent: 5 }, 'people whose address changes', managed),
    adoptions: guard({ count: 50 }, 'unmanaged people adopted', managed),
    sourceShrink: guard(
      { percent: 20 },
      'entries, or people in scope, lost since the last complete read',
      'what there was then',
    ),
    gone: guard(
      { count: 25, percent: 10 },
      'people in scope whom Twilio no longer shows, more than at the last complete read',
      managed,
    ),
    keepAtLeastOne: z
      .array(text('role'))
      .default([])
      .meta({
        title: 'list',
        description:
          'Roles, by name or SID, that must keep an active holder in each scope where they have one: the organization and every account.',
        examples: [['Administrator']],
      }),
    onRefusal: z.enum(['stop', 'additive']).default('stop').meta({
      description:
        'What a refused plan means: nothing is done (`stop`), or what takes nothing away is done and the rest held back (`additive`). The run counts as refused either way.',
    }),
  })
  .prefault({})
  .meta({
    description:
      'Limits that refuse a whole plan; they never let a part of it through. Of `count` and `percent` the smaller limit counts. Setting a guard replaces both of its defaults.',
  });
