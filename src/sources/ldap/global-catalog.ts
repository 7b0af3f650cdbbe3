import type { Demand } from '../../domain/entry.ts';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import type { Logger } from '../../ports.ts';
import type { ServerAddress } from './options.ts';

/** Where domain controllers offer the global catalog, without and with TLS. */
const ports: ReadonlySet<number> = new Set([3268, 3269]);

/**
 * Says what a global catalog leaves out: it holds every domain's objects, but of them only some attributes, and the members of
 * universal groups alone.
 */
export function warnOfGlobalCatalog(
  address: ServerAddress,
  options: Pick<LdapOptions, 'users'>,
  demand: Demand,
  logger: Logger,
): void {
  if (!ports.has(address.port)) return;
  const { url } = address;
  if (demand.groups.length > 0 || demand.allGroups) {
    const hint = 'use ldaps:// with port 636, or make every group that rules name a universal group';
    logger.warn(
      { url, hint },
      'a global catalog holds the members of universal groups only: other groups may look empty',
    );
  }
  if (options.users.disabled === 'userAccountControl') {
    const hint = 'use ldaps:// with port 636 when accounts with an expiry date must lose access';
    logger.warn({ url, hint }, 'a global catalog does not hold accountExpires: expired accounts may look usable');
  }
}
