/** Every situation that a person can be in, each as small as it can be. `ann` is the person; others are there where they matter. */
import type { ExternalId } from '../../src/domain/identity.ts';
import type { Parked } from '../../src/ports.ts';
import {
  administrator,
  assignment,
  entry,
  lastApplied,
  link,
  mainAccount,
  rules,
  support,
  twilioUser,
} from './builders.ts';
import type { Situation } from './decision-table.ts';
import type { Given } from './planning.ts';

export interface Group {
  readonly title: string;
  readonly situations: readonly Situation[];
}

const developers = ['developers'];
const linked: Given = { links: [link('ann', 1)], users: [twilioUser(1, 'ann')] };
const inactive: Given = { ...linked, users: [twilioUser(1, 'ann', { active: false })] };
const unmanagedRole = assignment(2, 1, { role: support, scope: mainAccount });
const developerRole = assignment(1, 1);
const administratorRole = assignment(3, 1, { role: administrator, scope: mainAccount });

/** Linked, and in Twilio with this name; what we last sent was `Ann`. */
function named(shown: string, wanted: string): Given {
  return {
    ...linked,
    users: [twilioUser(1, 'ann', { 'name.givenName': shown })],
    entries: [entry('ann', { givenName: wanted })],
    applied: { ann: lastApplied({ userName: 'ann@corp.example', 'name.givenName': 'Ann' }) },
  };
}

const inScopeAndActive: Group = {
  title: 'In scope, linked, active in Twilio',
  situations: [
    { is: 'as wanted', given: { ...linked, entries: [entry('ann')] } },
    { is: 'an attribute changed in the source', given: named('Ann', 'Anna') },
    { is: 'an attribute changed in Twilio', given: named('Somebody', 'Ann') },
    { is: 'an attribute changed in both', given: named('Somebody', 'Anna') },
    {
      is: 'an attribute differs that was never applied',
      given: { ...named('Somebody', 'Ann'), applied: {} },
    },
    { is: 'the source has no value for an attribute', given: { ...named('Ann', 'Ann'), entries: [entry('ann')] } },
    { is: 'a new address, free', given: { ...linked, entries: [entry('ann', { mail: 'wed@corp.example' })] } },
    {
      is: 'a new address that an unmanaged user has',
      given: {
        ...linked,
        users: [twilioUser(1, 'ann'), twilioUser(2, 'wed', { externalId: undefined })],
        entries: [entry('ann', { mail: 'wed@corp.example' })],
      },
    },
    {
      is: 'a new address that another linked person keeps',
      given: {
        links: [link('ann', 1), link('ben', 2)],
        users: [twilioUser(1, 'ann'), twilioUser(2, 'ben', { userName: 'old@corp.example' })],
        entries: [
          entry('ann', { mail: 'old@corp.example' }),
          entry('ben', { mail: 'ben@corp.example', disabled: 'yes' }),
        ],
      },
    },
    {
      is: 'a new address that another linked person gives up (chain)',
      given: {
        links: [link('ann', 1), link('ben', 2)],
        users: [twilioUser(1, 'ann'), twilioUser(2, 'ben')],
        entries: [entry('ann', { mail: 'ben@corp.example' }), entry('ben', { mail: 'new@corp.example' })],
      },
    },
    {
      is: 'two people whose addresses changed places (swap)',
      given: {
        links: [link('ann', 1), link('ben', 2)],
        users: [twilioUser(1, 'ann'), twilioUser(2, 'ben')],
        entries: [entry('ann', { mail: 'ben@corp.example' }), entry('ben', { mail: 'ann@corp.example' })],
      },
    },
    { is: 'a rule gives a role that is missing', given: { ...linked, entries: [entry('ann', {}, developers)] } },
    {
      is: 'holds a role that a rule names, but not for this person',
      given: { ...linked, entries: [entry('ann')], assignments: [developerRole] },
    },
    {
      is: 'holds a role that we gave and that no rule names any more',
      given: {
        ...linked,
        rules: rules({ roles: [] }),
        entries: [entry('ann')],
        assignments: [developerRole],
        records: [{ ...developerRole, origin: 'granted' }],
      },
    },
    {
      is: 'holds a role that no rule names and that we did not give',
      given: { ...linked, entries: [entry('ann')], assignments: [unmanagedRole] },
    },
    {
      is: 'holds, given by hand, a role that a rule gives',
      given: { ...linked, entries: [entry('ann', {}, developers)], assignments: [developerRole] },
    },
    {
      is: 'would hold more than 50 roles',
      given: {
        ...linked,
        entries: [entry('ann', {}, developers)],
        assignments: Array.from({ length: 50 }, (_, index) =>
          assignment(100 + index, 1, { role: support, scope: scopeOf(index) }),
        ),
      },
    },
  ],
};

const inScopeAndInactive: Group = {
  title: 'In scope, linked, inactive in Twilio',
  situations: [
    {
      is: 'we deactivated them (returner)',
      given: {
        ...inactive,
        entries: [entry('ann', {}, developers)],
        applied: { ann: lastApplied({ userName: 'ann@corp.example' }, { active: false }) },
      },
    },
    {
      is: 'somebody deactivated them in Twilio',
      given: {
        ...inactive,
        entries: [entry('ann', {}, developers)],
        applied: { ann: lastApplied({ userName: 'ann@corp.example' }) },
      },
    },
    { is: 'nobody knows who deactivated them', given: { ...inactive, entries: [entry('ann', {}, developers)] } },
  ],
};

const gone: Group = {
  title: 'In scope, linked, gone from Twilio',
  situations: [
    { is: 'nobody has the address', given: { ...linked, users: [], entries: [entry('ann', {}, developers)] } },
    {
      is: 'an unmanaged user has the address',
      given: {
        ...linked,
        users: [twilioUser(2, 'ann', { externalId: undefined })],
        entries: [entry('ann', {}, developers)],
      },
    },
  ],
};

const notLinked: Group = {
  title: 'In scope, not linked',
  situations: [
    { is: 'nobody in Twilio (joiner)', given: { entries: [entry('ann', {}, developers)] } },
    {
      is: 'a user has our externalId',
      given: {
        users: [twilioUser(1, 'ann', { userName: 'old@corp.example' })],
        entries: [entry('ann', {}, developers)],
      },
    },
    {
      is: 'an inactive user has our externalId',
      given: { users: [twilioUser(1, 'ann', { active: false })], entries: [entry('ann', {}, developers)] },
    },
    {
      is: 'a user without externalId has the address',
      given: { users: [twilioUser(1, 'ann', { externalId: undefined })], entries: [entry('ann', {}, developers)] },
    },
    {
      is: 'a user without externalId has the address, a role that a rule names, and one that none names',
      given: {
        users: [twilioUser(1, 'ann', { externalId: undefined })],
        entries: [entry('ann', {}, developers)],
        assignments: [developerRole, administratorRole, unmanagedRole],
      },
    },
    {
      is: 'a user with another externalId has the address (recycled address)',
      given: { users: [twilioUser(1, 'ann', { externalId: 'former' })], entries: [entry('ann', {}, developers)] },
    },
    {
      is: 'a linked person who left has the address (re-hire under a new key)',
      given: {
        links: [link('old', 1)],
        users: [twilioUser(1, 'old', { userName: 'ann@corp.example', active: false })],
        entries: [entry('ann', {}, developers)],
        absences: { old: 2 },
      },
    },
    {
      is: 'a linked person who moves to another address has the address',
      given: {
        links: [link('ben', 1)],
        users: [twilioUser(1, 'ben', { userName: 'ann@corp.example' })],
        entries: [entry('ann', {}, developers), entry('ben')],
      },
    },
    {
      is: 'several users have the address',
      given: {
        users: [
          twilioUser(1, 'ann', { externalId: undefined }),
          twilioUser(2, 'ann', { externalId: undefined, userName: 'ANN@corp.example' }),
        ],
        entries: [entry('ann', {}, developers)],
      },
    },
    {
      is: 'a user who is linked to another key has our externalId',
      given: {
        links: [link('ben', 1)],
        users: [twilioUser(1, 'ann')],
        entries: [entry('ann', {}, developers), entry('ben', { mail: 'ann@corp.example', disabled: 'yes' })],
      },
    },
    {
      is: 'a creation was begun whose end nobody saw, and the address exists now',
      given: {
        users: [twilioUser(1, 'ann', { externalId: undefined })],
        entries: [entry('ann', {}, developers)],
        begun: ['ann@corp.example'],
      },
    },
  ],
};

/** A leaver with a role that is managed and one that is not. */
function leaver(over: Given = {}): Given {
  return { ...linked, assignments: [developerRole, unmanagedRole], ...over };
}

const leavers: Group = {
  title: 'Not in scope any more, linked, with a managed role and one that nobody manages',
  situations: [
    { is: 'disabled in the source', given: leaver({ entries: [entry('ann', { disabled: 'yes' }, developers)] }) },
    {
      is: 'out of scope of the filter',
      given: leaver({
        rules: rules({ filter: 'entry.kind != "outside"' }),
        entries: [entry('ann', { kind: 'outside' }, developers)],
      }),
    },
    { is: 'absent from a complete read for the first time', given: leaver() },
    { is: 'absent for the second time in a row', given: leaver({ absences: { ann: 1 } }) },
    {
      is: 'absent, but an entry without a key has the address',
      given: leaver({ entries: [entry('', { mail: 'ann@corp.example' })] }),
    },
    {
      is: 'absent often enough, inactive in Twilio, a managed role left',
      given: leaver({ ...inactive, absences: { ann: 2 } }),
    },
    {
      is: 'absent often enough, inactive in Twilio, no managed role left',
      given: { ...inactive, absences: { ann: 2 } },
    },
    { is: 'absent, gone from Twilio', given: { ...linked, users: [] } },
  ],
};

const strangers: Group = {
  title: 'Not in scope, not linked',
  situations: [
    {
      is: 'a user of Twilio whom no entry matches',
      given: { users: [twilioUser(1, 'ann', { externalId: undefined })], assignments: [developerRole] },
    },
    {
      is: 'a user of Twilio with the address and key of a disabled entry',
      given: {
        users: [twilioUser(1, 'ann')],
        assignments: [developerRole],
        entries: [entry('ann', { disabled: 'yes' })],
      },
    },
  ],
};

const contradictions: Group = {
  title: 'Contradictions in the source, about linked people with something to do',
  situations: [
    {
      is: 'two entries have one key',
      given: { ...leaver(), entries: [entry('ann'), entry('ann', { mail: 'ben@corp.example' })] },
    },
    {
      is: 'two entries have one address',
      given: {
        links: [link('ann', 1), link('ben', 2)],
        users: [twilioUser(1, 'ann'), twilioUser(2, 'ben')],
        entries: [entry('ann', {}, developers), entry('ben', { mail: 'ANN@corp.example ' }, developers)],
      },
    },
    { is: 'an entry has no key', given: { entries: [entry('', { mail: 'ann@corp.example' }, developers)] } },
    { is: 'the address is no address', given: { ...leaver(), entries: [entry('ann', { mail: 'nobody' })] } },
    {
      is: 'a value could not be read',
      given: { ...leaver(), entries: [{ ...entry('ann'), problem: 'sn holds bytes that are no text' }] },
    },
    {
      is: 'a value could not be read, and the directory disables the account',
      given: {
        ...leaver(),
        entries: [{ ...entry('ann'), disabled: true, problem: 'sn holds bytes that are no text' }],
      },
    },
  ],
};

export const groups: readonly Group[] = [
  inScopeAndActive,
  inScopeAndInactive,
  gone,
  notLinked,
  leavers,
  strangers,
  contradictions,
];

/** As a run leaves it that was refused with 25009, and its time has not come. */
const suspended: Parked = {
  externalId: 'ann' as ExternalId,
  record: 'of an earlier operation',
  code: 'suspended',
  message: 'suspended',
  since: 0,
  attempts: 1,
  retryAt: 3_600_000,
};

/** Why a person is never changed, and the state that makes it so. */
export const reservations: readonly { readonly is: string; readonly over: (given: Given) => Given }[] = [
  { is: '`policy.protect` names the key', over: (given) => protect(given, 'ann') },
  { is: '`policy.protect` names the address', over: (given) => protect(given, 'Ann@Corp.example') },
  { is: '`policy.protect` names the user SID', over: (given) => protect(given, twilioUser(1, 'ann').sid) },
  {
    is: 'owner of the organization or of an account',
    over: (given) => ({
      ...given,
      accounts: [{ sid: mainAccount, name: 'Main', status: 'active', owner: twilioUser(1, 'ann').sid }],
    }),
  },
  { is: 'suspended by Twilio', over: (given) => ({ ...given, parked: [suspended] }) },
  {
    is: 'given back by `tdsync release`, so no longer linked',
    over: (given) => ({ ...given, links: [], released: [twilioUser(1, 'ann').sid] }),
  },
];

function protect(given: Given, name: string): Given {
  return { ...given, rules: rules({ ...given.rules, policy: { ...given.rules?.policy, protect: [name] } }) };
}

/** What would happen to `ann`, user number one, if it were not for the reservation. */
export const untouchable: readonly Situation[] = [
  { is: 'something to change', given: { ...named('Ann', 'Anna'), assignments: [administratorRole] } },
  { is: 'to be adopted', given: { users: [twilioUser(1, 'ann')], entries: [entry('ann', {}, developers)] } },
  { is: 'to return', given: { ...inactive, entries: [entry('ann', {}, developers)] } },
  { is: 'to leave', given: leaver({ entries: [entry('ann', { disabled: 'yes' })] }) },
  { is: 'nothing to do', given: { ...linked, entries: [entry('ann')] } },
];

function scopeOf(index: number) {
  return `AC${(100 + index).toString(16).padStart(32, '0')}` as typeof mainAccount;
}
