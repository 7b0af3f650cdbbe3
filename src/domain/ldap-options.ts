/** What the LDAP source is told: configuration fills it in, the source follows it. */
import type { Secret } from './secret.ts';

export type SearchScope = 'sub' | 'one' | 'base';

/** How group membership is stored: in the group as DNs or as user names, or in the user as DNs of groups. */
export type MembershipKind = 'member' | 'uniqueMember' | 'memberUid' | 'memberOf';

/**
 * How a directory marks an account that may not be used, by the attribute that says so.
 *
 * | rule                   | disabled when                                                                       |
 * |------------------------|-------------------------------------------------------------------------------------|
 * | `userAccountControl`   | its bit 2 (ACCOUNTDISABLE) is set, or `accountExpires` has passed (MS-ADTS 2.2.16)   |
 * | `nsAccountLock`        | it says true (389 Directory Server, FreeIPA)                                        |
 * | `pwdAccountLockedTime` | it is 000001010000Z, locked until an administrator unlocks it (password policy draft) |
 * | `none`                 | never: only `attributes.active` decides                                             |
 */
export type DisabledRule = 'userAccountControl' | 'nsAccountLock' | 'pwdAccountLockedTime' | 'none';

/** Who resolves groups within groups: nobody, we by following members, or the server by its matching rule in chain. */
export type Nesting = 'none' | 'resolve' | 'matching-rule';

/** A part of the tree that is on another server: the read is refused as incomplete, goes on without it, or follows. */
export type ReferralPolicy = 'refuse' | 'ignore' | 'follow';

/** How a server reports what changed: content synchronization (RFC 4533), or Active Directory's DirSync (MS-ADTS 3.1.1.3.4.1.3). */
export type IncrementalMethod = 'syncrepl' | 'dirsync';

export interface LdapOptions {
  /** `ldap[s]://host[:port]`, or `ldap[s]+srv://domain` for what DNS knows of a domain; tried in order. */
  readonly urls: readonly string[];
  /** Absent: anonymous, or who the client certificate says (SASL EXTERNAL) when there is one. */
  readonly bindDn?: string;
  readonly bindPassword?: Secret;
  readonly tls: {
    /** Absolute path of a PEM file whose certificates replace the built-in roots; read at each connect. */
    readonly caFile?: string;
    /** Trust what the operating system trusts, besides `caFile` when that is set too. */
    readonly systemStore: boolean;
    /** Absolute paths of PEM files: our own certificate and its key. */
    readonly certFile?: string;
    readonly keyFile?: string;
    /** Upgrade an ldap:// connection before anything else is sent; never falls back to clear text. */
    readonly startTls: boolean;
    readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
    /** The name that the server's certificate must carry, when it is not the URL's host. */
    readonly serverName?: string;
  };
  readonly users: {
    readonly baseDn: readonly string[];
    readonly filter: string;
    readonly scope: SearchScope;
    /** Attribute that holds the immutable key: entryUUID, objectGUID, employeeNumber … */
    readonly id: string;
    readonly disabled: DisabledRule;
  };
  /** Needed when a rule names a group. */
  readonly groups?: {
    readonly baseDn: readonly string[];
    readonly filter: string;
    readonly scope: SearchScope;
    /** Attribute that holds the group's name. */
    readonly name: string;
    /** Attributes of the group, each of which may hold members; or `memberOf` of the user, alone. */
    readonly membership: readonly MembershipKind[];
    /** The users' attribute that memberUid refers to. */
    readonly uid: string;
    readonly nested: Nesting;
    /** Active Directory keeps a person's primary group apart from all others (primaryGroupID); it counts as a group. */
    readonly primaryGroup: boolean;
  };
  readonly referrals: ReferralPolicy;
  /** Entries per page, to begin with. */
  readonly pageSize: number;
  readonly timeouts: {
    /** For each step until the connection is ready: TCP, StartTLS, TLS handshake, bind. */
    readonly connectMs: number;
    /** For one request: a page of entries. */
    readonly operationMs: number;
    /** For a whole read, from the first connection to the last entry. */
    readonly readMs: number;
  };
  /** Absent: everything is read each time. */
  readonly incremental?: {
    readonly method: IncrementalMethod;
    /** Everything is read when the last time is this long ago. */
    readonly fullReadEveryMs: number;
  };
}

export type GroupOptions = NonNullable<LdapOptions['groups']>;
