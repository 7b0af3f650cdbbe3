import type { AttributeValue, Demand, Entry } from '../../domain/entry.ts';
import type { ExternalId } from '../../domain/identity.ts';
import { SourceIncompleteError } from '../../errors.ts';
import { checkColumns, type Header, quoted } from './header.ts';
import type { IdOf } from './ids.ts';
import { checkUsersColumns, columnsOf, type JoinedFile } from './join.ts';
import type { TableReader } from './table.ts';

export interface UserColumns {
  readonly id: string;
  /** Column of group names, when there is one. */
  readonly groups: string | undefined;
}

/** Gives the groups of a person by id and by the text of the groups column, which is empty when there is none. */
export type GroupsOf = (id: string, text: string) => readonly string[];

/** What stands beside a row of the users files. */
export interface Beside {
  readonly groupsOf: GroupsOf;
  readonly joined: readonly JoinedFile[];
  readonly idOf: IdOf;
}

/** Turns the rows of one users file after the other into entries; `name` is the file's name in locations. */
export type UsersReader = (file: { readonly path: string; readonly name: string }) => TableReader;

/**
 * A record without a prototype in its chain, so that a column may be named `constructor` or `__proto__` and an absent one yields
 * nothing. Objects made by a constructor stay in the engine's fast representation; `Object.create(null)` does not.
 */
function AttributeRecord(): void {}
AttributeRecord.prototype = Object.create(null);
const Attributes = AttributeRecord as unknown as new () => Record<string, AttributeValue>;

export function createUsersReader(
  columns: UserColumns,
  demand: Demand,
  { groupsOf, joined, idOf }: Beside,
  onEntry: (entry: Entry) => void,
): UsersReader {
  const elsewhere = new Set(joined.flatMap((file) => file.columns));
  const groupsFile = joined.find((file) => columns.groups !== undefined && file.columns.includes(columns.groups));
  const fixed = [columns.id, ...(columns.groups === undefined || groupsFile !== undefined ? [] : [columns.groups])];
  const listed = demand.attributes === 'all' ? [] : demand.attributes.filter((name) => !elsewhere.has(name));
  const wanted = [...new Set([...fixed, ...listed])];
  let first: { readonly path: string; readonly names: readonly string[] } | undefined;

  /** The columns of this file that become attributes. */
  function attributesOf(header: Header, path: string): readonly string[] {
    checkUsersColumns(path, header.names, joined);
    // A rule that reads attributes by computed names may mean any column, so none may stand twice.
    const attributes = demand.attributes === 'all' ? named(header) : listed;
    checkColumns(header, [...new Set([...fixed, ...attributes])], path, columnsOf(joined));
    if (demand.attributes === 'all') checkSameColumns(header, path);
    return attributes;
  }

  /** Where any column may count, one that a part lacks would be missing from its people only. */
  function checkSameColumns(header: Header, path: string): void {
    first ??= { path, names: named(header) };
    checkColumns(header, first.names, path);
    const more = named(header).find((name) => !first?.names.includes(name));
    if (more === undefined) return;
    throw new SourceIncompleteError(`${path}:1: has the column ${quoted(more)}, which ${first.path} lacks`, {
      hint: 'rules read attributes by computed names, so every part must have the same columns',
    });
  }

  return ({ path, name }) => {
    let attributes: readonly string[] = listed;
    let idSlot = 0;
    let groupsSlot = -1;
    return {
      wanted,
      slots(header) {
        attributes = attributesOf(header, path);
        const order = [...new Set([...attributes, ...fixed])];
        idSlot = order.indexOf(columns.id);
        groupsSlot = columns.groups === undefined ? -1 : order.indexOf(columns.groups);
        return header.names.map((other) => order.indexOf(other));
      },
      row(values, line) {
        const record = new Attributes();
        for (let slot = 0; slot < attributes.length; slot++) {
          const value = values[slot];
          if (value !== undefined && value !== '') record[attributes[slot] ?? ''] = value;
        }
        const id = idOf(values[idSlot] ?? '');
        let groups = groupsSlot < 0 ? '' : (values[groupsSlot] ?? '');
        for (const file of joined) {
          const row = file.find(id, () => `${name}:${line}`);
          if (row < 0) continue;
          file.fill(row, record);
          if (file === groupsFile) groups = file.groupsText(row);
        }
        onEntry({
          id: id as ExternalId | '',
          attributes: record,
          groups: groupsOf(id, groups),
          location: `${name}:${line}`,
        });
      },
    };
  };
}

function named(header: Header): readonly string[] {
  return [...new Set(header.names.filter((name) => name !== ''))];
}
