import type { IncrementalMethod } from '../../../domain/ldap-options.ts';
import type { LdapConnection } from '../connection.ts';

/**
 * What a server says of one entry. `moved`: it may stand under another name than before, and with it what stands below.
 * `changed`: it stands where it stood, or is new.
 */
export type Touch = 'changed' | 'moved' | 'deleted';

/** What a server reports since a cookie. It only says where to look: what is there, an ordinary search tells. */
export interface Changes {
  /** Where the next report begins. */
  readonly cookie: Buffer;
  /** By UUID. */
  readonly touched: ReadonlyMap<string, Touch>;
  /** Given when the server listed what still exists instead of what was deleted: an entry that is not here is gone. */
  readonly present: ReadonlySet<string> | undefined;
}

/** Why nothing can be concluded; a clause for a sentence. */
export interface Doubt {
  readonly doubt: string;
  /** What to do about it, where it will not pass by itself. */
  readonly hint?: string;
}

/** One way in which servers report changes. Errors of the conversation are thrown; what the server refuses is a doubt. */
export interface ChangeFeed {
  readonly method: IncrementalMethod;
  /** The attribute with the UUIDs that it reports. */
  readonly uuidAttribute: string;
  /** A cookie of the present moment. What changes from now on will be reported. */
  start(connection: LdapConnection, context: string): Promise<{ readonly cookie: Buffer } | Doubt>;
  since(connection: LdapConnection, context: string, cookie: Buffer): Promise<Changes | Doubt>;
}
