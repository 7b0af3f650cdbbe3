/**
 * How things stand, as metrics. Whatever can be counted has a sample from the start, with 0 where nothing was counted, so that
 * a first failure is an increase. Labels name kinds, never people: nothing personal can get into a metric.
 */
import type { Metric, Sample } from '../domain/metric.ts';
import { operationKinds } from '../domain/operation.ts';
import { findingCodes } from '../domain/plan.ts';
import { answerKinds, runStatuses } from '../domain/run.ts';
import { operationOutcomes, type Standing } from '../domain/standing.ts';

export function standingMetrics(standing: Standing): readonly Metric[] {
  const { lastRun, lastRead, totals } = standing;
  const requests = Object.entries(totals.requests);
  return [
    gauge('tdsync_last_run_timestamp_seconds', 'When the last run began.', seconds(lastRun?.startedAt)),
    gauge('tdsync_last_run_duration_seconds', 'How long the last run took, once it has ended.', duration(lastRun)),
    {
      ...named('tdsync_last_run_status', 'gauge', '1 for how the last run ended, or running; 0 for the others.'),
      labels: ['status'],
      samples: [...runStatuses, 'running'].map((status) => sample(lastRun?.status === status ? 1 : 0, status)),
    },
    {
      ...named(
        'tdsync_last_run_error',
        'gauge',
        '1 for the code of the error that ended the last run; none without one.',
      ),
      labels: ['code'],
      samples: lastRun?.error === undefined ? [] : [sample(1, lastRun.error)],
    },
    gauge(
      'tdsync_last_good_run_timestamp_seconds',
      'When the last run that converged or was applied ended; none before the first.',
      seconds(standing.lastGoodRunAt),
    ),
    {
      ...named('tdsync_runs_total', 'counter', 'Runs by how they ended.'),
      labels: ['status'],
      samples: runStatuses.map((status) => sample(totals.runs[status] ?? 0, status)),
    },
    {
      ...named('tdsync_run_errors_total', 'counter', 'Runs that ended with an error, by its code.'),
      labels: ['code'],
      samples: Object.entries(totals.errors).map(([code, n]) => sample(n, code)),
    },
    {
      ...named('tdsync_operations_total', 'counter', 'Operations by kind and by what came of them.'),
      labels: ['kind', 'outcome'],
      samples: operationKinds.flatMap((kind) =>
        operationOutcomes.map((outcome) => sample(totals.operations[kind]?.[outcome] ?? 0, kind, outcome)),
      ),
    },
    {
      ...named('tdsync_findings', 'gauge', 'Open findings by code.'),
      labels: ['code'],
      samples: findingCodes.map((code) => sample(standing.findings[code] ?? 0, code)),
    },
    gauge('tdsync_managed_people', 'Linked people.', standing.managed),
    gauge(
      'tdsync_missing_people',
      'Linked people who were missing from the last read and are not yet leavers.',
      standing.missing,
    ),
    gauge(
      'tdsync_quarantined_people',
      'People whom Twilio refused, and who are left alone for now.',
      standing.quarantined,
    ),
    gauge(
      'tdsync_blocks',
      'Domains, or the organization as a whole, for which Twilio refuses something.',
      standing.blocks,
    ),
    gauge(
      'tdsync_circuit_breaker_open',
      '1 while a systemic failure holds operations back.',
      standing.breakerOpen ? 1 : 0,
    ),
    gauge('tdsync_plan_refused', '1 while a plan stands refused.', standing.planRefused ? 1 : 0),
    gauge('tdsync_source_entries', 'Entries of the source at the last read that a good run used.', lastRead?.entries),
    gauge('tdsync_source_people_in_scope', 'People in scope at that read.', lastRead?.inScope),
    gauge(
      'tdsync_source_read_duration_seconds',
      'How long that read took.',
      lastRead?.durationMs === undefined ? undefined : lastRead.durationMs / 1_000,
    ),
    {
      ...named(
        'tdsync_twilio_requests_total',
        'counter',
        'Requests to Twilio by endpoint and by what came back: the class of the status, throttled, or none.',
      ),
      labels: ['endpoint', 'answer'],
      samples: requests.flatMap(([endpoint, counts]) =>
        answerKinds.map((answer) => sample(counts[answer] ?? 0, endpoint, answer)),
      ),
    },
    counter(
      'tdsync_twilio_throttled_total',
      'Answers of Twilio that asked for fewer requests.',
      requests.reduce((sum, [, counts]) => sum + (counts.throttled ?? 0), 0),
    ),
    gauge('tdsync_snapshot_bytes', 'Size of the snapshot with its write-ahead log.', standing.snapshotBytes),
  ];
}

/** What runs. */
export function buildMetric(version: string, node: string): Metric {
  return {
    ...named('tdsync_build_info', 'gauge', 'Always 1; the labels say what runs.'),
    labels: ['version', 'node'],
    samples: [sample(1, version, node)],
  };
}

/** Prometheus text exposition format, version 0.0.4. */
export function renderMetrics(metrics: readonly Metric[]): string {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, labels, samples }) => {
      const lines = samples.map(({ labels: values, value }) => {
        const pairs = labels.map((label, index) => `${label}="${escapeLabel(values[index] ?? '')}"`);
        return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
      });
      return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
    })
    .join('');
}

function named(name: string, type: Metric['type'], help: string): Pick<Metric, 'name' | 'type' | 'help'> {
  return { name, type, help };
}

function single(name: string, type: Metric['type'], help: string, value: number | undefined): Metric {
  return { name, type, help, labels: [], samples: value === undefined ? [] : [sample(value)] };
}

function gauge(name: string, help: string, value: number | undefined): Metric {
  return single(name, 'gauge', help, value);
}

function counter(name: string, help: string, value: number): Metric {
  return single(name, 'counter', help, value);
}

function sample(value: number, ...labels: readonly string[]): Sample {
  return { labels, value };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}

function duration(run: Standing['lastRun']): number | undefined {
  return run?.endedAt === undefined ? undefined : (run.endedAt - run.startedAt) / 1_000;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
