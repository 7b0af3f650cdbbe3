import { type ExternalId, normalizeEmail } from '../domain/identity.ts';
import type { Operation } from '../domain/operation.ts';
import type { Finding, Plan, PlanCounts } from '../domain/plan.ts';
import type { Policy } from '../domain/rules.ts';
import { orderAddresses } from './address-order.ts';
import { digestTwilio } from './basis.ts';
import type { Draft } from './draft.ts';
import { sortFindings } from './finding-list.ts';
import { sortOperations } from './operation-order.ts';
import { type Knowledge, untouchable } from './people.ts';
import { planDigest } from './plan-digest.ts';
import { draftUndo, type UndoInput } from './undo.ts';

export interface UndoPlanInput extends UndoInput {
  /** Id of the run that is undone. */
  readonly run: string;
  readonly knowledge: Knowledge;
  readonly policy: Policy;
  /** Digest of the configuration's deciding part. */
  readonly configuration: string;
  /** Of the last complete read, as undoing reads no source. */
  readonly counts: Pick<PlanCounts, 'entries' | 'inScope' | 'gone'>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** externalIds, normalised addresses or user SIDs; undefined means everybody whom the run changed. */
  readonly only?: ReadonlySet<string>;
}

/** A plan like any other: ordered, guarded, with a digest. Its source is the history of the run. */
export function planUndo(input: UndoPlanInput): Plan {
  const { users, links, knowledge, run, now } = input;
  const isUntouchable = untouchable(input.policy, knowledge);
  const findings: Finding[] = [];
  const drafts: Draft[] = [];
  for (const drafted of draftUndo(input)) {
    if (!isChosen(drafted, input.only)) continue;
    findings.push(...drafted.findings);
    if (drafted.operations.length === 0) continue;
    const off = isUntouchable(drafted.externalId, [drafted.userName], drafted.user);
    if (off === undefined) drafts.push(drafted);
    else
      findings.push({
        code: off.code,
        externalId: drafted.externalId,
        userName: drafted.userName,
        message: `${drafted.userName} is left alone, because ${off.because}`,
      });
  }
  const ordered = orderAddresses({ drafts, users, links, parked: new Map(), now });
  const free = new Set(ordered.drafts.map(({ externalId }) => externalId));
  const stuck = drafts.filter(({ externalId }) => !free.has(externalId)).map(withoutAddress);
  const operations = sortOperations([...ordered.drafts, ...stuck].flatMap((each) => each.operations));
  const managed = links.byExternalId.size;
  const changed = new Set(operations.map(({ externalId }) => externalId)).size;
  const content = {
    version: 1 as const,
    basis: { configuration: input.configuration, source: `undo ${run}`, twilio: digestTwilio(links, users, knowledge) },
    operations,
    findings: sortFindings([...findings, ...ordered.findings]),
    counts: { ...input.counts, managed, unchanged: managed - changed, unmanaged: users.bySid.size - managed },
  };
  return { ...content, digest: planDigest(content) };
}

/** Whose old address somebody has by now keeps the new one; everything else is undone all the same, access above all. */
function withoutAddress(drafted: Draft): Draft {
  const operations = drafted.operations.flatMap((operation): readonly Operation[] => {
    if (!('changes' in operation)) return [operation];
    const changes = operation.changes.filter(({ attribute }) => attribute !== 'userName');
    return changes.length === 0 && operation.kind === 'update' ? [] : [{ ...operation, changes }];
  });
  return { ...drafted, operations };
}

function isChosen({ externalId, userName, user }: Draft, only: ReadonlySet<string> | undefined): boolean {
  const names: readonly (string | ExternalId | undefined)[] = [externalId, user, normalizeEmail(userName)];
  return only === undefined || names.some((name) => name !== undefined && only.has(name));
}
