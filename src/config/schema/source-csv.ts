import * as z from 'zod';
import { csvEncodings } from '../configuration.ts';
import { duration, flag, path, text, wholeNumber } from './values.ts';

const newest = z
  .strictObject({
    folder: path().meta({ description: 'Folder that the export writes into.', examples: ['exports'] }),
    match: z
      .string()
      .regex(/^[^/\\]+$/, { error: 'must be the pattern of a name, without a folder' })
      .meta({
        title: 'name pattern',
        description:
          '`*` stands for any characters, `?` for one; letter case counts. Files of other names, such as uploads that are not finished, are not seen.',
        examples: ['people-*.csv'],
      }),
    newest: z.enum(['name', 'modified']).default('name').meta({
      description:
        'What makes a file the newest: its name, in which digits are compared as numbers, or the time of its last write. Two that are equally new are refused.',
    }),
  })
  .meta({ title: 'newest file of a folder' });

function file() {
  return z.union([path(), newest]).meta({ title: 'path, or newest file of a folder' });
}

function delimiter() {
  return z
    .string()
    .regex(/^[^"\r\n]$/u, { error: 'must be one character, e.g. "," or ";" or "\\t"' })
    .meta({ title: 'character' });
}

const trailer = z
  .strictObject({
    match: text().meta({ description: 'What the first field of the row holds, exactly.', examples: ['TRAILER'] }),
    field: wholeNumber(2).default(2).meta({
      description: 'The field with the number of rows, header and trailer not counted. 1 is the first field.',
    }),
  })
  .meta({ title: 'section' });

const join = z.strictObject({
  file: file().meta({ description: 'File with a header line and one row per person.', examples: ['contracts.csv'] }),
  id: text('column')
    .optional()
    .meta({
      description: "Column with the person's key. When not set: named like `source.id`.",
      examples: ['employeeId'],
    }),
  required: flag().default(false).meta({
    description: 'Whether a person without a row makes the read incomplete, rather than lack the attributes.',
  }),
  delimiter: delimiter().optional().meta({ description: 'As `source.delimiter`, for this file.' }),
  encoding: z.enum(csvEncodings).optional().meta({ description: 'As `source.encoding`, for this file.' }),
  trailer: z
    .union([z.literal(false), trailer])
    .optional()
    .meta({
      title: 'section, or false',
      description: 'As `source.trailer`, for this file. `false`: it has none, though others do.',
    }),
});

const groups = z
  .strictObject({
    column: text('column').meta({ description: "Column with the names of a person's groups.", examples: ['groups'] }),
    separator: text().default(';').meta({ description: 'Stands between two names within the column.' }),
  })
  .optional()
  .meta({ description: 'Groups that stand in a column of the users file or of a joined one.' });

export const csvSource = z
  .strictObject({
    type: z.literal('csv').meta({ description: 'A CSV file.' }),
    users: z.union([path(), newest, z.array(file()).min(1)]).meta({
      title: 'path, newest file of a folder, or list of these',
      description: 'File with a header line and one row per person. A list names the parts of one list of people.',
      examples: ['people.csv'],
    }),
    join: z
      .array(join)
      .min(1)
      .optional()
      .meta({ description: 'Files with more columns for the same people, joined by their key.' }),
    memberships: file()
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
    thousandsSeparator: z
      .string()
      .regex(/^[,.'’_ \u00a0\u202f]$/u, { error: `must be one of , . ' ’ _ or a blank` })
      .optional()
      .meta({
        title: 'character',
        description:
          'Taken out of keys that are whole numbers grouped by it: with `,` the key `1,234` is `1234`. When not set, keys stay as they are. Leading zeros always stay.',
        examples: [','],
      }),
    delimiter: delimiter()
      .optional()
      .meta({
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
    trailer: trailer.optional().meta({
      description:
        'The row with which every file must end: a word and the number of rows. A file without it is refused as incomplete.',
      examples: [{ match: 'TRAILER', field: 2 }],
    }),
    maxAge: duration()
      .optional()
      .meta({
        description: 'A file that was last changed longer ago is refused: the export that writes it has stopped.',
        examples: ['24h'],
      }),
    minRows: wholeNumber(1)
      .default(1)
      .meta({ description: 'Fewer rows of people are refused as incomplete; with several parts it is their sum.' }),
    expectRowsFrom: path()
      .optional()
      .meta({
        description: 'File that holds the exact number of rows of people, written by the export beside the users file.',
        examples: ['people.count'],
      }),
  })
  .meta({ title: 'CSV source' });
