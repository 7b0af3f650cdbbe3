/** What the world does between two runs: the directory lives, and both sides are away, out of order or changed by hand at random. */
import { administerDirectory, type LdapWorld } from '../support/ldap-world.ts';
import type { Slapd } from '../support/slapd.ts';
import type { SoakDirectory } from './directory.ts';
import type { Chance } from './random.ts';
import { driftByHand, outage, someFault } from './twilio-troubles.ts';

export interface Troubles {
  readonly counts: Readonly<Record<string, number>>;
  count(what: string): void;
  /** What the world does between two runs. */
  happen(): Promise<void>;
  /** Everything works again. */
  end(): Promise<void>;
}

export function createTroubles(
  slapd: Slapd,
  world: LdapWorld,
  directory: SoakDirectory,
  untouched: ReadonlySet<string>,
  chance: Chance,
): Troubles {
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  /** Runs until it is over; 0: there is none. */
  const outages = { directory: 0, twilio: 0 };

  async function directoryLives(): Promise<void> {
    if (outages.directory > 0) {
      outages.directory -= 1;
      if (outages.directory === 0) await slapd.restart();
    } else if (chance.happens(0.006)) {
      await slapd.kill();
      outages.directory = 1 + chance.whole(8);
      count('outages of the directory');
    } else if (chance.happens(0.25)) {
      await using administration = await administerDirectory(slapd);
      for (let left = 1 + chance.whole(3); left > 0; left -= 1) {
        count(`directory: somebody ${await directory.change(administration)}`);
      }
    }
  }

  function twilioLives(): void {
    const { faults } = world.twilio;
    if (outages.twilio > 0) {
      outages.twilio -= 1;
      if (outages.twilio === 0) faults.clear();
    } else if (chance.happens(0.005)) {
      faults.clear();
      faults.add(outage(chance));
      outages.twilio = 1 + chance.whole(8);
      count('outages of Twilio');
    } else if (chance.happens(0.1)) {
      faults.clear();
      faults.add(someFault(chance), someFault(chance));
      count('pairs of faults at Twilio');
    }
    if (chance.happens(0.05)) count(`by hand in Twilio: ${driftByHand(world.twilio, untouched, chance)}`);
  }

  return {
    counts,
    count,
    async happen() {
      await directoryLives();
      twilioLives();
    },
    async end() {
      world.twilio.faults.clear();
      if (outages.directory > 0) await slapd.restart();
      outages.directory = 0;
      outages.twilio = 0;
    },
  };
}
