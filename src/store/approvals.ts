import type { Database } from './database.ts';

export interface Approval {
  readonly digest: string;
  /** Who, for the record: login name and host. */
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Permission for one plan to pass its guards once, given in one process and used in another, such as a running daemon. */
export interface Approvals {
  /** Approving a plan again while its approval is unused changes nothing. */
  approve(approval: Approval): void;
  /** The approval waiting for a plan with this digest. */
  pending(digest: string): Approval | undefined;
  /** Takes the approval for this run; false when there is none, or another run took it. */
  use(digest: string, run: string): boolean;
}

export function openApprovals(database: Database): Approvals {
  return {
    approve({ digest, by, at }) {
      database.write(`approve the plan ${digest}`, () =>
        database
          .statement('INSERT OR IGNORE INTO approvals (digest, approved_by, approved_at) VALUES (?, ?, ?)')
          .run(digest, by, at),
      );
    },
    pending: (digest) =>
      database.read('read the approvals', () =>
        database
          .statement<Approval>(
            'SELECT digest, approved_by AS "by", approved_at AS at FROM approvals WHERE digest = ? AND used_by IS NULL',
          )
          .get(digest),
      ),
    use: (digest, run) =>
      database.write(
        `use the approval of the plan ${digest}`,
        () =>
          database.statement('UPDATE approvals SET used_by = ? WHERE digest = ? AND used_by IS NULL').run(run, digest)
            .changes === 1,
      ),
  };
}
