import { parseDuration } from '../config/durations.ts';
import type { Approval } from '../domain/plan.ts';
import type { Quarantined } from '../domain/quarantine.ts';
import { systemClock } from '../ops/clock.ts';
import { documentJson } from '../report/json.ts';
import { plain, printable } from '../report/palette.ts';
import { findingsText, guardsText } from '../report/plan-text.ts';
import { quarantineLines, quarantineSummary } from '../report/quarantine.ts';
import { sourceText } from '../report/source-text.ts';
import type { Anchor } from '../store/audit/record.ts';
import type { RunHistory, RunSummary } from '../store/run-history.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { type Approved, readApproval } from './approval.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { freshness } from './freshness.ts';
import { runLine } from './run-line.ts';
import { openForLooking } from './snapshot-session.ts';
import { palette, print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

interface StatusOptions extends GlobalOptions {
  readonly maxAge?: string;
}

/** The container's health check: with --max-age it exits 1 when the last good run is older, or there was none. */
export async function status(options: StatusOptions): Promise<ExitCode> {
  const maxAgeMs = options.maxAge === undefined ? undefined : parseMaxAge(options.maxAge);
  const { snapshot, configuration } = openForLooking(options);
  using _snapshot = snapshot;
  const good = snapshot.history.lastGoodRun();
  const facts: Facts = {
    snapshot,
    good,
    stale: maxAgeMs !== undefined && freshness(good?.endedAt, systemClock.now(), maxAgeMs).stale,
    maxAge: options.maxAge,
    head: snapshot.audit.head(),
    quarantined: snapshot.quarantine.list(),
    approval: readApproval(configuration.twilio.oauth),
  };
  print(options.json ? asJson(facts) : asText(facts));
  return facts.stale ? exitCodes.unexpected : exitCodes.ok;
}

/** What both forms tell. */
interface Facts {
  readonly snapshot: Snapshot;
  readonly good: RunSummary | undefined;
  readonly stale: boolean;
  /** As it was given. */
  readonly maxAge: string | undefined;
  readonly head: Anchor | undefined;
  readonly quarantined: Quarantined;
  readonly approval: Approved | undefined;
}

function parseMaxAge(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new UsageError(`--max-age: "${text}" is not a duration; write for example 30m, 2h or 1d`);
  return ms;
}

function asJson({ snapshot, good, stale, head, quarantined, approval }: Facts): string {
  const { history } = snapshot;
  const { lastRead, totals, snapshotBytes } = snapshot.standing();
  const refused = history.refusedPlan();
  return documentJson({
    healthy: !stale,
    lastRun: history.lastRun(),
    lastGoodRun: good,
    managed: history.managed(),
    pendingAbsences: history.pendingAbsences(),
    findings: history.openFindings(),
    quarantine: quarantineSummary(quarantined),
    lastRead,
    refusedPlan: refused && {
      digest: refused.digest,
      run: refused.run,
      at: refused.at,
      guards: refused.verdict.guards,
      approval: openApproval(history, refused.digest),
    },
    history: head && { record: head.seq, hash: head.hash },
    authorization: approval?.fields,
    totals,
    snapshotBytes,
  });
}

function asText({ snapshot, good, stale, maxAge, head, quarantined, approval }: Facts): string {
  const { history } = snapshot;
  const colours = palette();
  const last = history.lastRun();
  const absences = history.pendingAbsences();
  const refused = history.refusedPlan();
  const lines = [
    `Last run:      ${last === undefined ? 'none yet' : runLine(last)}`,
    `Last good run: ${good === undefined ? 'none yet' : runLine(good)}`,
    `Managed:       ${history.managed()} people${absences > 0 ? `, ${absences} missing from the source` : ''}`,
  ];
  lines.push(...quarantineLines(quarantined, systemClock.now(), colours));
  if (last?.source !== undefined) lines.push(`Source:        ${sourceText(last.source)}`);
  if (head !== undefined) lines.push(`History:       record ${head.seq}, ${head.hash}`);
  if (approval !== undefined) lines.push(`Authorization: ${printable(approval.text)}`);
  if (stale) lines.push(colours.removed(`No good run within ${maxAge}: look at the last run's error and at the log`));
  const sections = [lines.join('\n'), findingsText(history.openFindings(), colours, 50)];
  if (refused !== undefined) {
    const digest = `${refused.plan.operations.length} operations, digest ${printable(refused.digest)}`;
    const approval = openApproval(history, refused.digest);
    const next =
      approval === undefined
        ? `Read it with \`tdsync runs ${refused.run}\`; let it through once with \`tdsync approve ${refused.digest.slice(0, 12)}\``
        : `Approved by ${printable(approval.user)} until ${new Date(approval.expiresAt).toISOString()}: the next run that makes this plan applies it`;
    sections.push(`Refused plan of run ${refused.run}: ${digest}\n${guardsText(refused.verdict, plain)}\n${next}`);
  }
  return `${sections.filter((each) => each !== '').join('\n\n')}\n`;
}

/** Recent ones are enough: an approval lives for a day. */
function openApproval(history: RunHistory, digest: string): Approval | undefined {
  const now = systemClock.now();
  return history
    .approvals(100)
    .find((each) => each.digest === digest && each.usedBy === undefined && each.expiresAt > now);
}
