/** A dry run from files in place of the directory, of Twilio, or of both: what would be done if the sides were so. */
import type { Configuration } from '../config/configuration.ts';
import { readSavedEntries } from '../config/saved-entries.ts';
import { plainValue } from '../config/secrets.ts';
import type { DirectorySource } from '../ports.ts';
import { defaultClient } from '../simulator/default-seed.ts';
import { loadSeedFile, type Seed } from '../simulator/seed.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createSavedSource } from '../sources/saved/saved-source.ts';
import { idAttributeOf, type Session } from './session.ts';
import { readInput, UsageError } from './usage-error.ts';

export interface SavedFiles {
  /** Made-up people as for `tdsync test`, or one of them per line in JSON. */
  readonly sourceFile?: string;
  /** What the simulator starts from. */
  readonly twilioFile?: string;
}

/**
 * The session with the files in place. Twilio is played by the simulator, so that its answers take the way of real ones, and
 * no secret is read. The digest stays that of the configuration: equal sides give the plan that a run would make.
 */
export async function withSavedStates<Result>(
  session: Session,
  { sourceFile, twilioFile }: SavedFiles,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const { configuration } = session;
  const source = sourceFile === undefined ? undefined : await sourceFrom(sourceFile, session);
  const withSource = { ...session, ...(source && { source }) };
  if (twilioFile === undefined) return work(withSource);
  const seed = await readInput(() => loadSeedFile(twilioFile));
  await using simulator = await readInput(() => startSimulator({ seed: seedFor(configuration, seed, twilioFile) }));
  return await work({ ...withSource, configuration: pointedAt(configuration, simulator) });
}

async function sourceFrom(file: string, { configuration, rim }: Session): Promise<DirectorySource> {
  const entries = await readInput(() => readSavedEntries(file, idAttributeOf(configuration)));
  return createSavedSource(file, entries, rim.logger);
}

/** One OAuth app that may do everything: what the seed's own are for is another rehearsal. */
function seedFor(configuration: Configuration, seed: Seed, file: string): Seed {
  const { organizationSid } = configuration.twilio;
  if (seed.organizationSid !== undefined && seed.organizationSid !== organizationSid) {
    throw new UsageError(
      `--twilio-file: ${file} is of the organization ${seed.organizationSid}, not ${organizationSid}`,
    );
  }
  return { ...seed, organizationSid, clients: [defaultClient] };
}

function pointedAt(configuration: Configuration, { url }: Simulator): Configuration {
  const { twilio } = configuration;
  const { clientId, clientSecret } = defaultClient;
  return {
    ...configuration,
    twilio: {
      ...twilio,
      oauth: {
        grantType: 'client_credentials',
        clientId: plainValue(clientId),
        clientSecret: plainValue(clientSecret),
      },
      endpoints: { iam: url, oauth: url, accounts: url },
    },
  };
}
