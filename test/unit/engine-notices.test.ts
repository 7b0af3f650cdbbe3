import { describe, expect, test } from 'vitest';
import type { NoticeEvent, Trouble } from '../../src/domain/notice.ts';
import { noticeEvents } from '../../src/domain/notice.ts';
import type { FindingCode } from '../../src/domain/plan.ts';
import type { RunReport, RunStatus } from '../../src/domain/run.ts';
import { type Decision, decideNotice, type Ending } from '../../src/engine/notices.ts';
import { externalId } from '../support/builders.ts';
import { planOf, update } from '../support/snapshots.ts';

const refusedA: Trouble = { state: 'refused', digest: 'a' };
const failedSource: Trouble = { state: 'failed', code: 'source-unavailable' };
const partialAnna: Trouble = { state: 'partial', people: [externalId('anna')] };
const breakerAnna: Trouble = { ...partialAnna, breaker: true };

/** The run of one probe. */
function stopped(who: string): Ending {
  return { ...ending('partial', { failing: [who] }), error: { code: 'breaker-open' } };
}

interface Facts {
  readonly digest?: string;
  readonly code?: string;
  readonly failing?: readonly string[];
  readonly parked?: readonly string[];
  readonly parkedAs?: FindingCode;
}

function ending(status: RunStatus, { digest = 'a', code, failing = [], parked = [], parkedAs }: Facts = {}): Ending {
  const findings = parked.map(
    (id) => ({ code: parkedAs ?? 'parked', externalId: externalId(id), message: '' }) as const,
  );
  const operations = failing.map((id, index) => ({
    operation: update(id, index),
    outcome: { state: 'failed', code: 'twilio-rejected', message: '' } as const,
  }));
  const plan = { ...planOf([]), digest };
  const report = { plan, operations, findings } as Pick<RunReport, 'plan' | 'operations' | 'findings'> as RunReport;
  return { status, report: code === undefined ? report : undefined, error: code === undefined ? undefined : { code } };
}

function decide(before: Trouble | undefined, now: Ending, wanted: readonly NoticeEvent[] = noticeEvents): Decision {
  return decideNotice(now, before && { trouble: before, run: 'earlier', at: 0 }, wanted);
}

describe('a hook is told', () => {
  test.each<[string, Trouble | undefined, Ending, NoticeEvent]>([
    ['that a plan was refused', undefined, ending('refused'), 'refused'],
    ['that another plan was refused', refusedA, ending('refused', { digest: 'b' }), 'refused'],
    ['that a run failed', undefined, ending('failed', { code: 'twilio-unavailable' }), 'failed'],
    ['that a run failed for another reason', failedSource, ending('failed', { code: 'twilio-unavailable' }), 'failed'],
    ['that a run failed after a refused plan', refusedA, ending('failed', { code: 'source-unavailable' }), 'failed'],
    ['that operations did not succeed', undefined, ending('partial', { failing: ['anna'] }), 'partial'],
    ['that they did not for somebody else', partialAnna, ending('partial', { failing: ['anna', 'ben'] }), 'partial'],
    ['that the circuit breaker stopped a run, whoever failed before', partialAnna, stopped('anna'), 'partial'],
    ['that it recovered from a refused plan', refusedA, ending('converged'), 'recovered'],
    ['that it recovered from a failed run', failedSource, ending('applied'), 'recovered'],
    ['that everybody who failed is well', partialAnna, ending('converged', { parked: ['ben'] }), 'recovered'],
  ])('%s', (_, before, now, event) => {
    expect(decide(before, now).event).toBe(event);
  });
});

describe('a hook is not told', () => {
  test.each<[string, Trouble | undefined, Ending]>([
    ['of the same refused plan again', refusedA, ending('refused')],
    ['of a run that fails for the same reason', failedSource, ending('failed', { code: 'source-unavailable' })],
    ['of the same people again', partialAnna, ending('partial', { failing: ['anna'] })],
    ['of the circuit breaker again, tried with somebody else', breakerAnna, stopped('ben')],
    ['of good runs after good ones', undefined, ending('converged')],
    ['of a run that was stopped', refusedA, ending('interrupted')],
    ['of a good run while who failed is parked', partialAnna, ending('converged', { parked: ['anna'] })],
    [
      'of that either when the address is taken',
      partialAnna,
      ending('applied', { parked: ['anna'], parkedAs: 'address-taken' }),
    ],
    [
      'of a good run while a whole domain waits',
      partialAnna,
      ending('converged', { parked: [''], parkedAs: 'unverified-domain' }),
    ],
    [
      'of one while there is no room for more people',
      partialAnna,
      ending('applied', { parked: [''], parkedAs: 'quota-reached' }),
    ],
  ])('%s', (_, before, now) => {
    expect(decide(before, now)).toEqual({ event: undefined, trouble: before });
  });

  test('of an event that it does not want, and what it was told stands', () => {
    const decision = decide(refusedA, ending('failed', { code: 'twilio-unavailable' }), ['refused', 'recovered']);

    expect(decision).toEqual({ event: undefined, trouble: refusedA });
  });

  test('that it recovered when it does not want that, but of the same trouble anew from then on', () => {
    const wanted: readonly NoticeEvent[] = ['refused'];

    const good = decide(refusedA, ending('converged'), wanted);
    const again = decide(good.trouble, ending('refused'), wanted);

    expect(good).toEqual({ event: undefined, trouble: undefined });
    expect(again.event).toBe('refused');
  });
});

test('who is parked stays among those who were told of when somebody else fails', () => {
  const { trouble } = decide(partialAnna, ending('partial', { failing: ['ben'], parked: ['anna'] }));

  expect(trouble).toEqual({ state: 'partial', people: ['anna', 'ben'] });
});

test('so does everybody while a domain waits, whose people no finding names', () => {
  const run = ending('partial', { failing: ['ben'], parked: [''], parkedAs: 'unverified-domain' });

  expect(decide(partialAnna, run).trouble).toEqual({ state: 'partial', people: ['anna', 'ben'] });
});
