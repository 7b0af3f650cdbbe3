/**
 * The people of the organization and the ways to find them.
 *
 * A list of 100,000 people must cost milliseconds, so people stand in slots in the order in which they came, slots form
 * pages, and each page keeps its encoded JSON until somebody on it changes. A list is then little more than writing
 * buffers that exist already.
 */

export interface EmailAddress {
  readonly value: string;
  readonly primary?: boolean;
  readonly type?: string;
}

/** The states that Twilio knows; SCIM shows a boolean only. */
type UserStatus = 'active' | 'inactive' | 'suspended';

/** What a person's record says, apart from identity and bookkeeping. */
export interface UserAttributes {
  readonly externalId: string | undefined;
  readonly userName: string;
  readonly displayName: string | undefined;
  readonly givenName: string | undefined;
  readonly familyName: string | undefined;
  readonly emails: readonly EmailAddress[];
  readonly locale: string | undefined;
  readonly timezone: string | undefined;
  readonly status: UserStatus;
}

export interface StoredUser extends UserAttributes {
  readonly sid: string;
  readonly slot: number;
  /** RFC 3339 with nanoseconds, as Twilio writes it. */
  readonly created: string;
  readonly lastModified: string;
  readonly version: number;
}

type NewUser = Omit<StoredUser, 'slot'>;

const pageSize = 256;

export class UserStore {
  readonly #slots: (StoredUser | undefined)[] = [];
  readonly #bySid = new Map<string, StoredUser>();
  readonly #byUserName = new Map<string, StoredUser>();
  readonly #byExternalId = new Map<string, StoredUser>();
  #pages: (Buffer | undefined)[] = [];
  #pagesKey = '';

  get size(): number {
    return this.#bySid.size;
  }

  has(sid: string): boolean {
    return this.#bySid.has(sid);
  }

  get(sid: string): StoredUser | undefined {
    return this.#bySid.get(sid);
  }

  /** Letter case does not matter (RFC 7643 section 4.1.1). */
  byUserName(userName: string): StoredUser | undefined {
    return this.#byUserName.get(userName.toLowerCase());
  }

  /** Case-exact (RFC 7643 section 3.1). */
  byExternalId(externalId: string): StoredUser | undefined {
    return this.#byExternalId.get(externalId);
  }

  /** In the order in which they came. */
  *[Symbol.iterator](): Generator<StoredUser> {
    for (const user of this.#slots) if (user !== undefined) yield user;
  }

  /** The caller has made sure that SID, userName and externalId are free. */
  add(user: NewUser): StoredUser {
    const stored = { ...user, slot: this.#slots.length };
    this.#slots.push(stored);
    this.#index(stored);
    return stored;
  }

  replace(old: StoredUser, changes: Partial<Omit<StoredUser, 'sid' | 'slot'>>): StoredUser {
    const stored = { ...old, ...changes };
    this.#unindex(old);
    this.#slots[old.slot] = stored;
    this.#index(stored);
    return stored;
  }

  remove(user: StoredUser): void {
    this.#unindex(user);
    this.#slots[user.slot] = undefined;
  }

  /**
   * The rendered people in order, joined with commas, a page at a time. `key` names everything besides the people that
   * the rendering depends on: when it differs from the last time, nothing kept is used.
   */
  *pages(render: (user: StoredUser) => string, key: string): Generator<Buffer> {
    if (key !== this.#pagesKey) {
      this.#pages = [];
      this.#pagesKey = key;
    }
    for (let page = 0; page * pageSize < this.#slots.length; page++) {
      let buffer = this.#pages[page];
      if (buffer === undefined) {
        buffer = Buffer.from(this.#renderPage(page, render));
        this.#pages[page] = buffer;
      }
      if (buffer.length > 0) yield buffer;
    }
  }

  #renderPage(page: number, render: (user: StoredUser) => string): string {
    let text = '';
    const end = Math.min((page + 1) * pageSize, this.#slots.length);
    for (let slot = page * pageSize; slot < end; slot++) {
      const user = this.#slots[slot];
      if (user !== undefined) text += text === '' ? render(user) : `,${render(user)}`;
    }
    return text;
  }

  #index(user: StoredUser): void {
    this.#bySid.set(user.sid, user);
    this.#byUserName.set(user.userName.toLowerCase(), user);
    if (user.externalId !== undefined) this.#byExternalId.set(user.externalId, user);
    this.#pages[Math.floor(user.slot / pageSize)] = undefined;
  }

  #unindex(user: StoredUser): void {
    this.#bySid.delete(user.sid);
    this.#byUserName.delete(user.userName.toLowerCase());
    if (user.externalId !== undefined) this.#byExternalId.delete(user.externalId);
    this.#pages[Math.floor(user.slot / pageSize)] = undefined;
  }
}
