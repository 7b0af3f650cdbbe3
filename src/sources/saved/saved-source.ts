import type { Entry } from '../../domain/entry.ts';
import type { DirectorySource, Logger } from '../../ports.ts';

/** Entries that somebody saved or made up, in place of a directory. They are whole by definition: nobody can prove more. */
export function createSavedSource(file: string, entries: readonly Entry[], logger: Logger): DirectorySource {
  return {
    description: file,
    async read(demand, onEntry, signal) {
      signal.throwIfAborted();
      const met = new Set(entries.flatMap(({ groups }) => groups));
      for (const group of demand.groups) {
        if (met.has(group)) continue;
        logger.warn(
          { group },
          `${file}: nobody is in the group ${group}, which a rule names; a directory may refuse that`,
        );
      }
      for (const entry of entries) onEntry(entry);
      return { entries: entries.length, description: file };
    },
  };
}
