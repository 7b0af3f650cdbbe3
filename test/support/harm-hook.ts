/**
 * Loaded into a process of `tdsync` before everything else (`node --import`). It counts the moments that leave different
 * things behind when a process ends there, and does harm at one of them: `TEST_HARM=KIND@NUMBER`.
 *
 *   moment              when
 *   sent METHOD PATH    the last byte of a request was handed to the system
 *   answered …          the last byte of its answer was read
 *   begin               before a transaction
 *   commit              after it
 *
 *   harm    at            what it does
 *   list    –             nothing
 *   kill    any moment    SIGKILL
 *   full    a `begin`     no file can be written any more: the rest of `TEST_DISK` is filled, or, without it, the size
 *                         limit of the process goes to zero
 *   lock    a `begin`     another connection keeps the snapshot locked, and nobody waits long for it
 *
 * Every moment is a line on stderr that begins with `@`.
 */
import { spawnSync } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { closeSync, openSync, writeSync } from 'node:fs';
import Sqlite from 'better-sqlite3';

const [harm = 'list', at = '0'] = (process.env.TEST_HARM ?? '').split('@');
let count = 0;
let blocker: Sqlite.Database | undefined;

function moment(name: string, connection?: Sqlite.Database): void {
  const counted = harm === 'kill' || harm === 'list' || name === 'begin';
  if (counted) count++;
  writeSync(2, `@ ${name}\n`);
  if (!counted || count !== Number(at)) return;
  writeSync(2, `@ ${harm}\n`);
  if (harm === 'kill') process.kill(process.pid, 'SIGKILL');
  if (harm === 'full') fill(process.env.TEST_DISK);
  if (harm === 'lock' && connection !== undefined) {
    connection.pragma('busy_timeout = 30');
    blocker = new Sqlite(connection.name);
    blocker.exec('BEGIN EXCLUSIVE');
  }
}

function fill(disk: string | undefined): void {
  if (disk === undefined) {
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=0:0'], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`prlimit: ${stderr}`);
    return;
  }
  const ballast = openSync(`${disk}/ballast`, 'w');
  for (let size = 1 << 20; size >= 1; size >>= 1) {
    try {
      for (;;) writeSync(ballast, Buffer.alloc(size));
    } catch {
      // A smaller piece may still fit.
    }
  }
  closeSync(ballast);
}

interface Message {
  readonly request: { readonly method: string; readonly path: string };
}

subscribe('undici:request:bodySent', (message) => {
  const { method, path } = (message as Message).request;
  moment(`sent ${method} ${path}`);
});
subscribe('undici:request:trailers', (message) => {
  const { method, path } = (message as Message).request;
  moment(`answered ${method} ${path}`);
});

type Work = (...args: unknown[]) => unknown;
const manners = ['default', 'deferred', 'immediate', 'exclusive'] as const;
const transaction = Sqlite.prototype.transaction as unknown as (
  this: Sqlite.Database,
  work: Work,
) => Work & Record<(typeof manners)[number], Work>;

Sqlite.prototype.transaction = function counting(this: Sqlite.Database, work: Work) {
  const original = transaction.call(this, work);
  const around =
    (inner: Work): Work =>
    (...args) => {
      if (this.inTransaction) return inner(...args);
      moment('begin', this);
      const result = inner(...args);
      moment('commit');
      return result;
    };
  return Object.assign(around(original), Object.fromEntries(manners.map((each) => [each, around(original[each])])));
} as unknown as typeof Sqlite.prototype.transaction;
