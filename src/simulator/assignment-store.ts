/** Role assignments, found by SID, identity and scope. Rows stand in the order in which they came, so pages stay stable. */

export interface StoredAssignment {
  readonly sid: string;
  /** Ascending over time; what page tokens point to. */
  readonly order: number;
  readonly role: string;
  readonly scope: string;
  readonly identity: string;
  readonly resourceType: string | null;
  readonly resourceId: string | null;
  /** An implicit row, such as a default organization role, which cannot be deleted. */
  readonly permanent: boolean;
}

export class AssignmentStore {
  readonly #bySid = new Map<string, StoredAssignment>();
  readonly #byIdentity = new Map<string, StoredAssignment[]>();
  readonly #byScope = new Map<string, StoredAssignment[]>();
  readonly #all: StoredAssignment[] = [];
  #order = 0;

  get size(): number {
    return this.#all.length;
  }

  has(sid: string): boolean {
    return this.#bySid.has(sid);
  }

  get(sid: string): StoredAssignment | undefined {
    return this.#bySid.get(sid);
  }

  all(): readonly StoredAssignment[] {
    return this.#all;
  }

  ofIdentity(identity: string): readonly StoredAssignment[] {
    return this.#byIdentity.get(identity) ?? [];
  }

  ofScope(scope: string): readonly StoredAssignment[] {
    return this.#byScope.get(scope) ?? [];
  }

  add(assignment: Omit<StoredAssignment, 'order'>): StoredAssignment {
    const stored = { ...assignment, order: ++this.#order };
    this.#bySid.set(stored.sid, stored);
    this.#all.push(stored);
    rowsOf(this.#byIdentity, stored.identity).push(stored);
    rowsOf(this.#byScope, stored.scope).push(stored);
    return stored;
  }

  remove(assignment: StoredAssignment): void {
    this.#bySid.delete(assignment.sid);
    removeRow(this.#all, assignment);
    removeRow(rowsOf(this.#byIdentity, assignment.identity), assignment);
    removeRow(rowsOf(this.#byScope, assignment.scope), assignment);
  }
}

function rowsOf(index: Map<string, StoredAssignment[]>, key: string): StoredAssignment[] {
  let rows = index.get(key);
  if (rows === undefined) {
    rows = [];
    index.set(key, rows);
  }
  return rows;
}

function removeRow(rows: StoredAssignment[], row: StoredAssignment): void {
  const at = firstAfter(rows, row.order - 1);
  if (rows[at] === row) rows.splice(at, 1);
}

/** Index of the first row whose order is above `order`; rows are sorted by it. */
export function firstAfter(rows: readonly { readonly order: number }[], order: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle];
    if (row !== undefined && row.order <= order) low = middle + 1;
    else high = middle;
  }
  return low;
}
