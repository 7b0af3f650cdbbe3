import type { AttributeValue, Demand, Entry } from '../../domain/entry.ts';
import type { ExternalId } from '../../domain/identity.ts';
import { checkColumns } from './header.ts';
import type { TableReader } from './table.ts';

export interface UserColumns {
  readonly id: string;
  /** Column of group names, when there is one. */
  readonly groups: string | undefined;
}

/** Gives the groups of a person by id and by the text of the groups column, which is empty when there is none. */
export type GroupsOf = (id: string, text: string) => readonly string[];

/**
 * A record without a prototype in its chain, so that a column may be named `constructor` or `__proto__` and an absent one yields
 * nothing. Objects made by a constructor stay in the engine's fast representation; `Object.create(null)` does not.
 */
function AttributeRecord(): void {}
AttributeRecord.prototype = Object.create(null);
const Attributes = AttributeRecord as unknown as new () => Record<string, AttributeValue>;

/** Turns the rows of the users file into entries. `name` is the file's name in locations. */
export function createUsersReader(
  file: { readonly path: string; readonly name: string },
  columns: UserColumns,
  demand: Demand,
  groupsOf: GroupsOf,
  onEntry: (entry: Entry) => void,
): TableReader {
  const fixed = columns.groups === undefined ? [columns.id] : [columns.id, columns.groups];
  const listed = demand.attributes === 'all' ? [] : demand.attributes;
  let attributes: readonly string[] = listed;
  let idSlot = 0;
  let groupsSlot = -1;
  const wanted = [...new Set([...fixed, ...listed])];

  return {
    wanted,
    slots(header) {
      // A rule that reads attributes by computed names may mean any column, so none may stand twice.
      if (demand.attributes === 'all') attributes = [...new Set(header.names.filter((name) => name !== ''))];
      checkColumns(header, [...new Set([...fixed, ...attributes])], file.path);
      const order = [...new Set([...attributes, ...fixed])];
      idSlot = order.indexOf(columns.id);
      groupsSlot = columns.groups === undefined ? -1 : order.indexOf(columns.groups);
      return header.names.map((name) => order.indexOf(name));
    },
    row(values, line) {
      const record = new Attributes();
      for (let slot = 0; slot < attributes.length; slot++) {
        const value = values[slot];
        if (value !== undefined && value !== '') record[attributes[slot] ?? ''] = value;
      }
      const id = values[idSlot] ?? '';
      const groups = groupsOf(id, groupsSlot < 0 ? '' : (values[groupsSlot] ?? ''));
      onEntry({ id: id as ExternalId | '', attributes: record, groups, location: `${file.name}:${line}` });
    },
  };
}
