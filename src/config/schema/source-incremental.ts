import * as z from 'zod';
import { duration } from './values.ts';

export const incremental = z
  .strictObject({
    method: z.enum(['syncrepl', 'dirsync']).meta({
      description:
        'How the server tells: `syncrepl` (RFC 4533; OpenLDAP with the overlay syncprov) or `dirsync` (Active Directory; the account needs the right Replicating Directory Changes).',
    }),
    fullReadEvery: duration().default('24h').meta({
      description: 'Read everything when the last time is this long ago, whatever the server tells.',
    }),
  })
  .optional()
  .meta({
    description:
      'Ask the server only for what changed since the last good run. Off unless set; whatever is doubtful leads to a full read.',
  });
