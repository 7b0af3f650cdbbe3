import { AssignmentStore } from './assignment-store.ts';
import { type PermissionName, permissionNames } from './permissions.ts';
import type { Quirks } from './quirks.ts';
import type { SeedClient } from './seed.ts';
import { SidCounter } from './sids.ts';
import { type StoredUser, UserStore } from './user-store.ts';

export type Level = 'ORGANIZATION' | 'ACCOUNT' | 'SUB_ACCOUNT';

export interface StoredRole {
  readonly sid: string;
  readonly order: number;
  readonly name: string;
  readonly description: string;
  readonly productGroup: string;
  readonly highestLevel: Level;
  readonly lowestLevel: Level;
  readonly resourceTypes: readonly string[] | undefined;
}

export interface StoredAccount {
  readonly sid: string;
  readonly order: number;
  readonly name: string;
  readonly status: 'active' | 'suspended' | 'pending_closure' | 'closed';
  readonly owner: string | undefined;
  readonly parent: string | undefined;
}

export interface StoredClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly previousSecret: string | undefined;
  readonly redirectUris: readonly string[];
  readonly approver: string | undefined;
  readonly permissions: ReadonlySet<PermissionName>;
}

/** A mail that Twilio would have sent. */
export interface WelcomeMail {
  readonly to: string;
  readonly reason: 'created' | 'reactivated';
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** One organization, as the endpoints see and change it. Made from a seed by `buildState`. */
export class SimulatorState {
  readonly organizationSid: string;
  readonly domains = new Set<string>();
  readonly outsideAddresses = new Set<string>();
  readonly users = new UserStore();
  readonly assignments = new AssignmentStore();
  readonly roles = new Map<string, StoredRole>();
  readonly accounts = new Map<string, StoredAccount>();
  readonly clients = new Map<string, StoredClient>();
  /** Mails sent since the start, oldest first. */
  readonly mails: WelcomeMail[] = [];
  /** Reads for which a new person still stays invisible, by SID. */
  readonly hiddenReads = new Map<string, number>();
  /** Refusals of role assignments that a new person still meets, by SID. */
  readonly assignmentRefusals = new Map<string, number>();
  ownerSid: string | undefined;
  quota = Number.POSITIVE_INFINITY;
  /** Counts changes, so that page tokens can be known to be stale. */
  revision = 0;

  readonly #userSids = new SidCounter('US', (sid) => this.users.has(sid));
  readonly #assignmentSids = new SidCounter('IY', (sid) => this.assignments.has(sid));

  constructor(organizationSid: string) {
    this.organizationSid = organizationSid;
  }

  nextUserSid(): string {
    return this.#userSids.next();
  }

  nextAssignmentSid(): string {
    return this.#assignmentSids.next();
  }

  /** To be called after each change. */
  touch(): void {
    this.revision++;
  }

  sendMail(to: string, reason: WelcomeMail['reason'], at: number): void {
    this.mails.push({ to, reason, at });
  }

  /** Whether a read that would show this person does; counts the read. */
  becomesVisible(user: StoredUser): boolean {
    return countDown(this.hiddenReads, user.sid);
  }

  /** Whether this person can be given a role yet; counts the try. */
  becomesAssignable(user: StoredUser): boolean {
    return countDown(this.assignmentRefusals, user.sid);
  }

  afterDeactivation(user: StoredUser, quirks: Quirks): void {
    if (quirks.assignmentsOnDeactivation !== 'dropped') return;
    for (const assignment of [...this.assignments.ofIdentity(user.sid)]) this.assignments.remove(assignment);
  }

  /** Who approves this app, when there is such a person and the account is active. */
  approverOf({ approver }: StoredClient): StoredUser | undefined {
    const name = approver ?? this.ownerSid ?? '';
    const user = this.users.get(name) ?? this.users.byUserName(name);
    return user?.status === 'active' ? user : undefined;
  }

  /** Adds an OAuth app, or replaces its secrets and permissions. */
  setClient(client: SeedClient): void {
    this.clients.set(client.clientId, {
      clientId: client.clientId,
      clientSecret: client.clientSecret,
      previousSecret: client.previousSecret,
      redirectUris: client.redirectUris ?? [],
      approver: client.approver,
      permissions: new Set(client.permissions ?? permissionNames),
    });
  }
}

function countDown(counts: Map<string, number>, sid: string): boolean {
  const left = counts.get(sid);
  if (left === undefined) return true;
  if (left <= 1) counts.delete(sid);
  else counts.set(sid, left - 1);
  return false;
}
