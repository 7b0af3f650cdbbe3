import * as z from 'zod';
import { csvEncodings } from '../configuration.ts';
import { duration, path, text, wholeNumber } from './values.ts';

const groups = z
  .strictObject({
    column: text('column').meta({ description: "Column with the names of a person's groups.", examples: ['groups'] }),
    separator: text().default(';').meta({ description: 'Stands between two names within the column.' }),
  })
  .optional()
  .meta({ description: 'Groups that stand in the users file itself.' });

export const csvSource = z
  .strictObject({
    type: z.literal('csv').meta({ description: 'A CSV file.' }),
    users: path().meta({ description: 'File with a header line and one row per person.', examples: ['people.csv'] }),
    memberships: path()
      .optional()
      .meta({
        description: 'File with a header line and two columns: a person (value of the `id` column) and a group.',
        examples: ['memberships.csv'],
      }),
    id: text('column').meta({
      description:
        'Column with the key that never changes for a person and is never given to another: an employee number, not an address.',
      examples: ['employeeId'],
    }),
    groups,
    delimiter: z
      .string()
      .regex(/^[^"\r\n]$/u, { error: 'must be one character, e.g. "," or ";" or "\\t"' })
      .optional()
      .meta({
        title: 'character',
        description: 'Stands between two fields. Found out from the header line when not set.',
        examples: [';'],
      }),
    encoding: z
      .enum(csvEncodings)
      .optional()
      .meta({
        description: 'Character encoding. When not set: what the byte order mark says, else UTF-8.',
        examples: ['windows-1252'],
      }),
    maxAge: duration()
      .optional()
      .meta({
        description: 'A file that was last changed longer ago is refused: the export that writes it has stopped.',
        examples: ['24h'],
      }),
    minRows: wholeNumber(1)
      .default(1)
      .meta({ description: 'A file with fewer rows of people is refused as incomplete.' }),
    expectRowsFrom: path()
      .optional()
      .meta({
        description: 'File that holds the exact number of rows, written by the export beside the users file.',
        examples: ['people.count'],
      }),
  })
  .meta({ title: 'CSV source' });
