import type { Told, Trouble } from '../domain/notice.ts';
import type { NoticeStore } from '../ports.ts';
import type { Database } from './database.ts';

interface Row {
  readonly trouble: string;
  readonly run: string;
  readonly at: number;
}

export function openNotices(database: Database): NoticeStore {
  return {
    told: (hook) =>
      database.read('read what a hook was told', () => {
        const row = database
          .statement<Row>('SELECT trouble_json AS trouble, run, at FROM notices WHERE hook = ?')
          .get(hook);
        return row && { trouble: JSON.parse(row.trouble) as Trouble, run: row.run, at: row.at };
      }),
    keepTold: (hook, told) => database.write('record what a hook was told', () => put(database, hook, told)),
  };
}

function put(database: Database, hook: string, told: Told | undefined): void {
  if (told === undefined) {
    database.statement('DELETE FROM notices WHERE hook = ?').run(hook);
    return;
  }
  database
    .statement('INSERT OR REPLACE INTO notices (hook, trouble_json, run, at) VALUES (?, ?, ?, ?)')
    .run(hook, JSON.stringify(told.trouble), told.run, told.at);
}
