import { createRequire } from 'node:module';
import * as z from 'zod';
import { duration, flag, path, text } from './values.ts';

export const schedule = z
  .strictObject({
    cron: text('cron expression')
      .refine(isCron, {
        error: 'is not a cron expression: five fields, minute hour day month weekday, e.g. "*/15 * * * *"',
      })
      .meta({
        description:
          'When to run: minute, hour, day of the month, month, day of the week; a field for seconds may stand first.',
        examples: ['*/15 * * * *'],
      }),
    timezone: text('time zone')
      .refine(isTimezone, { error: 'is not a time zone of the IANA database, e.g. Europe/Lisbon or UTC' })
      .optional()
      .meta({ description: "Time zone of `cron`. When not set, the machine's own.", examples: ['Europe/Lisbon'] }),
    runOnStart: flag().default(true).meta({ description: 'Run once as soon as the daemon has started.' }),
    jitter: duration().default('0s').meta({
      description:
        'Each scheduled run is put off by a random time up to this, so that many daemons do not start at once.',
    }),
  })
  .optional()
  .meta({ description: 'When `tdsync daemon` runs. The other commands do not need it.' });

/** Loaded only for a configuration that has a schedule: it would cost every start. */
function isCron(value: string): boolean {
  const cron = createRequire(import.meta.url)('node-cron') as typeof import('node-cron');
  return cron.validate(value);
}

function isTimezone(value: string): boolean {
  try {
    // Offsets such as +02:00 know no daylight saving: not what somebody means who names a place.
    return (
      /^[A-Za-z]/.test(value) && new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions() !== undefined
    );
  } catch {
    return false;
  }
}

export const snapshot = z
  .strictObject({
    path: path()
      .default('../data/tdsync.db')
      .meta({ description: 'SQLite file that holds what is known of Twilio, the links and the history.' }),
    refreshUsers: duration().default('0s').meta({
      description: 'Users are listed anew when what is known is older; 0s means at every run.',
    }),
    refreshAssignments: duration().default('24h').meta({
      description: 'Role assignments are listed anew when what is known is older.',
    }),
    keepRuns: duration().default('90d').meta({ description: 'How long the history of runs is kept.' }),
  })
  .prefault({})
  .meta({ description: 'The local database.' });

export const log = z
  .strictObject({
    level: z
      .enum(['debug', 'info', 'warn', 'error'])
      .default('info')
      .meta({ description: 'Least level that is logged.' }),
    format: z
      .enum(['json', 'pretty'])
      .default('json')
      .meta({ description: 'One JSON object per line for machines, or lines for people.' }),
  })
  .prefault({})
  .meta({ description: 'What goes to stderr.' });
