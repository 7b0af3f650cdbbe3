/** The organization that a rehearsal starts with unless a seed says otherwise. All names and SIDs are invented or documented examples. */

import type { SeedAccount, SeedClient, SeedRole } from './seed.ts';
import { sidOf } from './sids.ts';

export const defaultOrganizationSid = sidOf('OR', 1);
export const defaultDomain = 'corp.example';
/** For either grant. */
export const defaultClient: SeedClient = {
  clientId: sidOf('OQ', 1),
  clientSecret: 'simulator-secret',
  redirectUris: ['http://127.0.0.1:8581/callback', 'https://corp.example/tdsync'],
};

export const defaultAccounts: readonly SeedAccount[] = [
  { sid: sidOf('AC', 1), name: 'Production' },
  { sid: sidOf('AC', 2), name: 'Staging' },
];

/**
 * Families and names as the page "Types of roles" lists them (www.twilio.com/docs/iam/access-control/types-of-roles);
 * the SIDs of general roles are those of error page 25202. Owner stands in two families, as in Twilio.
 */
export const defaultRoles: readonly SeedRole[] = [
  ...family('GENERAL', 'ACCOUNT', 'ACCOUNT', 0x101, [
    'Owner',
    'Administrator',
    'Developer',
    'Billing Manager',
    'Support',
  ]),
  ...family('ORGANIZATION', 'ORGANIZATION', 'ORGANIZATION', 0x201, [
    'Owner',
    'Organization Administrator',
    'Standard User',
    'Organization Billing Admin',
    'Organization Billing Viewer',
  ]),
  ...family('STUDIO', 'ORGANIZATION', 'SUB_ACCOUNT', 0x301, ['Studio Admin', 'Studio Viewer']),
  ...family('NUMBERS', 'ORGANIZATION', 'SUB_ACCOUNT', 0x321, [
    'Numbers Configuration Editor',
    'Numbers Configuration Viewer',
    'Numbers Inventory Manager',
  ]),
  ...family('MESSAGING', 'ORGANIZATION', 'SUB_ACCOUNT', 0x341, [
    'Messaging Services Configurator',
    'Messaging Services Viewer',
    'Messaging Settings Admin',
    'Messaging Settings Viewer',
    'Content Template Builder Admin',
    'Content Template Builder Viewer',
    'Messaging Logs Admin',
    'Messaging Logs PII Viewer',
    'Messaging Logs Viewer',
  ]),
  ...family('VOICE', 'ORGANIZATION', 'SUB_ACCOUNT', 0x361, ['Voice Intelligence Admin', 'Voice Intelligence Viewer']),
  ...family('ACCOUNT', 'ORGANIZATION', 'SUB_ACCOUNT', 0x381, ['Account API Access Admin', 'Account API Access Viewer']),
  ...family('BILLING_GROUP', 'ORGANIZATION', 'ORGANIZATION', 0x3a1, [
    'Billing Group Admin',
    'Billing Group Viewer',
  ]).map((role) => ({ ...role, resourceTypes: ['billing_group'] })),
];

function family(
  productGroup: string,
  highestLevel: SeedRole['highestLevel'] & string,
  lowestLevel: SeedRole['lowestLevel'] & string,
  firstSid: number,
  names: readonly string[],
): SeedRole[] {
  return names.map((name, index) => ({
    sid: sidOf('IX', firstSid + index),
    name,
    description: `${name} of ${productGroup.toLowerCase().replace('_', ' ')}`,
    productGroup,
    highestLevel,
    lowestLevel,
  }));
}
