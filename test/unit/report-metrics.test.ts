import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Metric } from '../../src/domain/metric.ts';
import type { Standing } from '../../src/domain/standing.ts';
import { processMetrics } from '../../src/ops/process-metrics.ts';
import { buildMetric, renderMetrics, standingMetrics } from '../../src/report/metrics.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs');

const nothing: Standing = {
  lastRun: undefined,
  lastGoodRunAt: undefined,
  planRefused: false,
  managed: 0,
  missing: 0,
  quarantined: 0,
  blocks: 0,
  breakerOpen: false,
  findings: {},
  lastRead: undefined,
  totals: { runs: {}, errors: {}, operations: {}, requests: {} },
  snapshotBytes: 0,
};

function allMetrics(standing: Standing): readonly Metric[] {
  return [buildMetric('0.1.0', 'v24.0.0'), ...standingMetrics(standing), ...processMetrics()];
}

function lines(standing: Standing): readonly string[] {
  return renderMetrics(standingMetrics(standing)).split('\n');
}

describe('the text format', () => {
  test('has help, type and a value for each combination of labels', () => {
    const metric: Metric = {
      name: 'a_total',
      type: 'counter',
      help: 'Counts.',
      labels: ['b', 'c'],
      samples: [
        { labels: ['1', '2'], value: 3 },
        { labels: ['4', '5'], value: 0.25 },
      ],
    };

    expect(renderMetrics([metric])).toBe(
      '# HELP a_total Counts.\n# TYPE a_total counter\na_total{b="1",c="2"} 3\na_total{b="4",c="5"} 0.25\n',
    );
  });

  test('escapes what would end a label or a line', () => {
    const samples = [{ labels: ['a"b\\c\nd'], value: 1 }];
    const metric: Metric = { name: 'x', type: 'gauge', help: 'one\\two\nthree', labels: ['l'], samples };

    expect(renderMetrics([metric])).toBe('# HELP x one\\\\two\\nthree\n# TYPE x gauge\nx{l="a\\"b\\\\c\\nd"} 1\n');
  });
});

describe('how things stand', () => {
  test('before the first run has no times, and zero for whatever can be counted', () => {
    const text = lines(nothing);

    expect(text.filter((line) => line.includes('timestamp_seconds'))).toEqual([]);
    expect(text).toContain('tdsync_runs_total{status="failed"} 0');
    expect(text).toContain('tdsync_operations_total{kind="deactivate",outcome="unknown"} 0');
    expect(text).toContain('tdsync_findings{code="parked"} 0');
    expect(text).toContain('tdsync_plan_refused 0');
  });

  test('shows times in seconds, the last run with its error, and the totals', () => {
    const text = lines({
      ...nothing,
      lastRun: { status: 'failed', startedAt: 60_000, endedAt: 61_500, error: 'twilio-unauthorized' },
      lastGoodRunAt: 30_500,
      lastRead: { entries: 12, inScope: 7, durationMs: 250 },
      totals: {
        runs: { failed: 2 },
        errors: { 'twilio-unauthorized': 2 },
        operations: { grant: { done: 3 } },
        requests: { 'POST /v2/token': { '4xx': 2, throttled: 1 }, 'GET /scim/v2/Users': { throttled: 4 } },
      },
    });

    expect(text).toEqual(
      expect.arrayContaining([
        'tdsync_last_run_timestamp_seconds 60',
        'tdsync_last_run_duration_seconds 1.5',
        'tdsync_last_run_status{status="failed"} 1',
        'tdsync_last_run_status{status="converged"} 0',
        'tdsync_last_run_error{code="twilio-unauthorized"} 1',
        'tdsync_last_good_run_timestamp_seconds 30.5',
        'tdsync_source_entries 12',
        'tdsync_source_people_in_scope 7',
        'tdsync_source_read_duration_seconds 0.25',
        'tdsync_runs_total{status="failed"} 2',
        'tdsync_operations_total{kind="grant",outcome="done"} 3',
        'tdsync_twilio_requests_total{endpoint="POST /v2/token",answer="4xx"} 2',
        'tdsync_twilio_throttled_total 5',
      ]),
    );
  });

  test('says of a run under way that it is one, and no duration', () => {
    const text = lines({
      ...nothing,
      lastRun: { status: 'running', startedAt: 1_000, endedAt: undefined, error: undefined },
    });

    expect(text).toContain('tdsync_last_run_status{status="running"} 1');
    expect(text.filter((line) => line.startsWith('tdsync_last_run_duration_seconds'))).toEqual([]);
  });
});

describe('the documentation', () => {
  const page = readFileSync(join(docs, 'reference', 'metrics.md'), 'utf8');
  const metrics = allMetrics(nothing);

  test('lists every metric with its type, labels and meaning, and no other', () => {
    const row = ({ name, type, labels, help }: Metric) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')}${labels.length > 0 ? ' ' : ''}| ${help} |`;
    const rows = page.split('\n').filter((line) => /^\| `\w+` \| (?:counter|gauge) \|/.test(line));

    expect(rows.toSorted()).toEqual(metrics.map(row).toSorted());
  });

  test('alerts on metrics and labels that exist', () => {
    const guide = readFileSync(join(docs, 'how-to', 'watch-a-daemon.md'), 'utf8');
    const expressions = [...guide.matchAll(/^ *expr: (.*)$/gm)].map(([, text = '']) => text);
    const used = expressions.flatMap((text) => [...text.matchAll(/(tdsync_\w+)(?:\{([^}]*)\})?/g)]);

    const unknown = used.filter(([, name, labels = '']) => {
      const metric = metrics.find((each) => each.name === name);
      const keys = [...labels.matchAll(/(\w+)=~?"/g)].map(([, key = '']) => key);
      return metric === undefined || keys.some((key) => !metric.labels.includes(key));
    });

    expect(expressions.length).toBeGreaterThan(4);
    expect(unknown.map(([text]) => text)).toEqual([]);
  });

  test('has metrics that follow the conventions: units, `_total` for counters alone, help that is a sentence', () => {
    const wrong = metrics.filter(
      ({ name, type, help }) => name.endsWith('_total') !== (type === 'counter') || !help.endsWith('.'),
    );

    expect(wrong.map(({ name }) => name)).toEqual([]);
    expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
  });
});
