import { SourceIncompleteError } from '../../errors.ts';
import type { GuardedFile } from './file-guard.ts';
import { createMemberships, type GroupCensus, type Memberships } from './groups.ts';
import type { IdOf } from './ids.ts';
import { readTable, type TableOptions } from './table.ts';

/**
 * Reads a memberships file: two columns under names of any kind, person id first, group second. Only groups that a rule wants are kept.
 * Throws SourceIncompleteError when the table is broken, has no row, or a row lacks its id or group.
 */
export async function readMemberships(
  file: GuardedFile,
  options: TableOptions,
  census: GroupCensus,
  idOf: IdOf,
  signal: AbortSignal,
): Promise<Memberships> {
  const memberships = createMemberships(census);
  const rows = await readTable(
    file,
    options,
    {
      wanted: [],
      slots({ names }) {
        if (names.length === 2) return [0, 1];
        throw new SourceIncompleteError(`${file.path}:1: ${names.length} columns, where two are expected`, {
          hint: 'the file needs a header and two columns, person id and group; is source.delimiter right?',
        });
      },
      row([id = '', group = ''], line) {
        if (id === '' || group === '') {
          throw new SourceIncompleteError(`${file.path}:${line}: the ${id === '' ? 'person id' : 'group'} is empty`, {
            hint: 'every row names a person and a group',
          });
        }
        memberships.add(idOf(id), group);
      },
    },
    signal,
  );
  if (rows === 0) {
    throw new SourceIncompleteError(`${file.path}: 0 rows, at least 1 expected`, {
      hint: 'look whether the export that writes it failed',
    });
  }
  return memberships;
}
