import type { Configuration } from '../config/configuration.ts';
import { type LoadedConfiguration, loadConfiguration } from '../config/load.ts';
import { openSnapshot, type Snapshot } from '../store/snapshot.ts';
import type { GlobalOptions } from './command-line.ts';
import { configurationFile } from './session.ts';

/** For commands that only look at the snapshot: no rule is compiled, no secret is read. */
export function openForLooking(options: GlobalOptions): {
  readonly configuration: Configuration;
  readonly loaded: LoadedConfiguration;
  readonly snapshot: Snapshot;
} {
  const loaded = loadConfiguration(configurationFile(options), process.env);
  const { configuration } = loaded;
  const snapshot = openSnapshot(configuration.snapshot.path, 'read', configuration.rules.organization);
  return { configuration, loaded, snapshot };
}
