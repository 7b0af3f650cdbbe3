import type { Configuration, SourceSettings } from './configuration.ts';

/**
 * The part of the configuration that decides what a plan says, as plain JSON, for hashing: two configurations with the same
 * part make the same plan from the same source and the same Twilio.
 *
 * Left out on purpose: secrets, which may be rotated between a review and its application; where files stand on this
 * machine, since a plan may be reviewed on one machine and applied on another (what the files say is part of the source's
 * own digest); limits, timeouts, schedule, snapshot, server, hooks and log, which change how a plan is made or applied but not the plan.
 */
export function configurationDigestInput(configuration: Configuration): Readonly<Record<string, unknown>> {
  const { twilio, rules } = configuration;
  return {
    organization: twilio.organizationSid,
    // A plan that was reviewed against the simulator must not be applied to Twilio unseen.
    endpoints: endpointsPart(twilio.endpoints),
    source: sourcePart(configuration.source),
    rules: {
      filter: rules.filter ?? null,
      attributes: rules.attributes,
      roles: rules.roles,
      policy: { ...rules.policy, protect: [...rules.policy.protect].sort() },
      guards: rules.guards,
      onRefusal: rules.onRefusal,
    },
  };
}

/** The current generation goes without saying: plans that were reviewed before there was a choice stay good. */
function endpointsPart({
  generation,
  ...bases
}: Configuration['twilio']['endpoints']): Readonly<Record<string, string>> {
  return generation === 'current' ? bases : { generation, ...bases };
}

function sourcePart(source: SourceSettings): Readonly<Record<string, unknown>> {
  if (source.type === 'csv') {
    const { id, thousandsSeparator, join, groups, memberships, delimiter, encoding, trailer } = source.options;
    return {
      type: 'csv',
      id,
      thousandsSeparator: thousandsSeparator ?? null,
      join: (join ?? []).map(({ file: _, ...how }) => how),
      groups: groups ?? null,
      memberships: memberships !== undefined,
      delimiter: delimiter ?? null,
      encoding: encoding ?? null,
      trailer: trailer ?? null,
    };
  }
  const { urls, bindDn, users, groups, referrals } = source.options;
  return { type: 'ldap', urls, bindDn: bindDn ?? null, users, groups: groups ?? null, referrals };
}
