/** What can go wrong in the middle of a life, each as a step of its own that ends with the run under it. */
import { defaultClient } from '../../src/simulator/default-seed.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { permissionNames } from '../../src/simulator/permissions.ts';
import { type Endpoint, endpointsOf } from '../../src/twilio/endpoints.ts';
import type { InProcessRun } from './in-process.ts';
import type { Stage } from './life-cycle.ts';
import { type Person, plantedSecret } from './world.ts';

type Trouble = (stage: Stage, people: readonly Person[]) => Promise<InProcessRun>;

export const troubles: Readonly<Record<string, Trouble>> = {
  /** 25017, 25022, 25002 and 25009, in whatever dress. */
  async troubled({ world, reconcile }, people) {
    world.twilio.administer({ action: 'set-status', user: 'steady@corp.example', status: 'suspended' });
    await world.people([
      ...people.map((each) => (each.id === 'steady' ? { ...each, family: 'Refused' } : each)),
      { id: 'foreign', mail: 'foreign@other.example' },
      { id: 'outsider' },
      { id: 'tiny', given: 'O' },
    ]);
    return reconcile();
  },

  async unanswered({ world, generation, clock, reconcile }, people) {
    // The troubles before are over.
    world.twilio.administer({ action: 'set-status', user: 'steady@corp.example', status: 'active' });
    clock.advance(25 * 3_600_000);
    const { createUser, replaceUser, deactivateUser, createAssignment, deleteAssignment } = endpointsOf(generation);
    const lose = ({ method, template }: Endpoint, fault: Fault) =>
      world.twilio.faults.add({ match: { method, path: template }, times: 1, fault });
    for (const each of [createUser, replaceUser, deactivateUser, createAssignment, deleteAssignment]) {
      lose(each, 'reset-after');
      lose(each, 'reset-before');
    }
    world.twilio.limits.requestsPerSecond = 10;
    await world.people([
      ...people.flatMap((each) => {
        if (each.id === 'leaver') return [];
        if (each.id === 'mover') return [{ ...each, groups: ['developers'] }];
        return [each.id === 'plain' ? { ...each, family: 'Lost' } : each];
      }),
      { id: 'joiner', mail: 'Joiner@Corp.example', groups: ['developers', 'operators'] },
    ]);
    const run = await reconcile();
    world.twilio.faults.clear();
    world.twilio.limits.requestsPerSecond = null;
    // What had no answer is looked at, and finished.
    await reconcile();
    return run;
  },

  async overtaken({ world, reconcile }, people) {
    await reconcile();
    world.twilio.administer({
      action: 'edit-user',
      user: 'plain@corp.example',
      attributes: { displayName: 'Written by somebody else' },
    });
    await world.people(people.map((each) => (each.id === 'plain' ? { ...each, family: 'Overtaken' } : each)));
    return reconcile({ refresh: false });
  },

  /** Ends 6, twice, without a write. */
  async unauthorized({ world, reconcile }, people) {
    const { state, requests } = world.twilio;
    const before = requests.writes;
    await world.people(people.map((each) => (each.id === 'plain' ? { ...each, family: 'Refused' } : each)));
    const wrong = await reconcile({ environment: { TWILIO_CLIENT_SECRET: 'wrong' } });
    const client = { ...defaultClient, clientSecret: plantedSecret };
    state.setClient({ ...client, permissions: permissionNames.filter((name) => name !== 'managed-users/list') });
    const lacking = await reconcile({ refresh: true });
    state.setClient(client);
    if (wrong.code !== 6 || lacking.code !== 6 || requests.writes !== before) {
      throw new Error(`without authorization the runs end ${wrong.code} and ${lacking.code}`);
    }
    return reconcile({ refresh: true });
  },
};
