import { basename } from 'node:path';
import { SourceIncompleteError } from '../../errors.ts';
import type { Clock } from '../../ports.ts';
import { type GuardedFile, openGuarded } from './file-guard.ts';
import { resolveFile } from './newest.ts';
import { type CsvFile, type CsvOptions, type JoinOptions, usersOf } from './options.ts';

/** The files of one read, all opened before any is read. */
export interface SourceFiles {
  readonly users: readonly GuardedFile[];
  readonly joined: readonly { readonly file: GuardedFile; readonly options: JoinOptions }[];
  readonly memberships: GuardedFile | undefined;
  readonly all: readonly GuardedFile[];
  /** For locations: without its folder, unless another of the files is called the same. */
  nameOf(file: GuardedFile): string;
}

/**
 * Finds and opens every file, the memberships only when `groupsNeeded`, and judges their age.
 * Throws SourceUnavailableError and SourceIncompleteError as `resolveFile` and `openGuarded` do; nothing is open then.
 */
export async function openFiles(options: CsvOptions, groupsNeeded: boolean, clock: Clock): Promise<SourceFiles> {
  const all: GuardedFile[] = [];
  async function openFile(file: CsvFile): Promise<GuardedFile> {
    const opened = await openGuarded(await resolveFile(file), options.maxAgeMs, clock);
    all.push(opened);
    return opened;
  }
  try {
    const users: GuardedFile[] = [];
    for (const file of usersOf(options)) users.push(await openFile(file));
    checkDifferent(users);
    const joined: { file: GuardedFile; options: JoinOptions }[] = [];
    for (const join of options.join ?? []) joined.push({ file: await openFile(join.file), options: join });
    const memberships =
      options.memberships !== undefined && groupsNeeded ? await openFile(options.memberships) : undefined;
    const names = all.map(({ path }) => basename(path));
    const nameOf = ({ path }: GuardedFile) =>
      names.filter((name) => name === basename(path)).length > 1 ? path : basename(path);
    return { users, joined, memberships, all, nameOf };
  } catch (error) {
    for (const file of all) await file.close();
    throw error;
  }
}

/** Everybody in a part that is read twice would be two people with one id. */
function checkDifferent(parts: readonly GuardedFile[]): void {
  for (const [index, { path, identity }] of parts.entries()) {
    const other = parts.slice(0, index).find((earlier) => earlier.identity === identity);
    if (other === undefined) continue;
    const which = other.path === path ? 'is named twice' : `is the same file as ${other.path}`;
    throw new SourceIncompleteError(`${path}: ${which}`, { hint: 'source.users must name each part once' });
  }
}
