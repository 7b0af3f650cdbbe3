import type { Demand, Entry } from '../../domain/entry.ts';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import type { Logger } from '../../ports.ts';
import type { LdapConnection } from './connection.ts';
import type { AccountRule } from './disabled.ts';
import { readGroups } from './groups.ts';
import type { Membership } from './membership.ts';
import { readUsers, type UserSupply } from './users.ts';

export interface WholeRead {
  readonly connection: LdapConnection;
  readonly options: LdapOptions;
  readonly demand: Demand;
  /** Who of the users may not be used. */
  readonly account: AccountRule | undefined;
  readonly onEntry: (entry: Entry) => void;
  readonly logger: Logger;
}

/** Stands between the server and the entries, to remember them. */
export type Witness = (membership: Membership | undefined) => {
  readonly membership: Membership | undefined;
  readonly supply: UserSupply;
};

/** Everything there is: groups first, then users, page by page. Resolves with the number of users. */
export async function readWhole(read: WholeRead, witness?: Witness): Promise<number> {
  const { connection, options, demand, account, onEntry, logger } = read;
  const groups = await readGroups(connection, options, demand, logger);
  const { membership, supply } = witness?.(groups?.membership) ?? { membership: groups?.membership, supply: undefined };
  const users = await readUsers(connection, options, demand, membership, account, onEntry, logger, supply);
  await groups?.check(users);
  return users.entries;
}
