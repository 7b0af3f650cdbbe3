import { describe, expect, test } from 'vitest';
import { expectConverged, settle } from '../support/convergence.ts';
import { createSkippingClock, historyOf, reconcileInProcess } from '../support/in-process.ts';
import { createWorld, type Person, type Sections, type World } from '../support/world.ts';

const ten = Array.from({ length: 10 }, (_, index): Person => ({ id: `p${index}`, groups: ['developers'] }));

/** Ten developers in step, then three leave: refused. Returns the refused plan's digest. */
async function refusedWorld(sections: Sections = {}): Promise<{ world: World; digest: string }> {
  const world = await createWorld({ sections });
  await world.people(ten);
  await settle(world);
  await world.people(ten.slice(3));
  const { code, report } = await reconcileInProcess(world);
  expect(code).toBe(3);
  world.twilio.requests.clear();
  return { world, digest: report?.plan.digest ?? '' };
}

describe.concurrent('tdsync approve', () => {
  test('lets exactly the refused plan through once, with who, where and why in the history', async () => {
    const { world, digest } = await refusedWorld();
    await using _world = world;

    const approval = await world.tdsync('approve', digest.slice(0, 12), '--reason', 'team dissolved, ticket 17');
    const status = await world.tdsync('status');
    const run = await world.tdsync('reconcile');
    const [applied] = historyOf(world);

    expect([approval.code, approval.stdout]).toEqual([0, expect.stringContaining(`Approved once: plan ${digest}`)]);
    expect(approval.stdout).toContain('3 people would be deactivated');
    expect(status.stdout).toContain('Approved by ');
    expect(run.code, run.stdout).toBe(0);
    expect(run.stdout).toContain('Guards refuse this plan, and ');
    expect(run.stdout).toMatch(/\n {2}Approved \S+Z by \S+ on \S+: team dissolved, ticket 17\n/);
    expect(applied?.verdict?.approval).toMatchObject({
      digest,
      host: expect.any(String),
      reason: 'team dissolved, ticket 17',
    });
    await expectConverged(world);
  });

  test('does not let another plan through', async () => {
    const { world, digest } = await refusedWorld();
    await using _world = world;
    await world.tdsync('approve', digest);
    await world.people(ten.slice(4));

    const { code, report } = await reconcileInProcess(world);

    expect(code).toBe(3);
    expect(report?.plan.digest).not.toBe(digest);
    expect(world.twilio.requests.writes).toBe(0);
  });

  test('serves once: the same people leaving again are refused again', async () => {
    const { world, digest } = await refusedWorld();
    await using _world = world;
    await world.tdsync('approve', digest);
    await reconcileInProcess(world);
    await world.people(ten);
    await reconcileInProcess(world);
    await world.people(ten.slice(3));

    const again = await reconcileInProcess(world);

    expect(again.code).toBe(3);
  });

  test('expires after a day, to the millisecond', async () => {
    const { world, digest } = await refusedWorld();
    await using _world = world;
    const approve = await world.tdsync('approve', digest, '--json');
    const { expiresAt, at } = approve.json<{ approval: Record<'at' | 'expiresAt', string> }>().approval;
    const end = Date.parse(expiresAt);

    const late = await reconcileInProcess(world, { clock: createSkippingClock(end) });
    const written = world.twilio.requests.writes;
    const inTime = await reconcileInProcess(world, { clock: createSkippingClock(end - 1) });

    expect(end - Date.parse(at)).toBe(24 * 3_600_000);
    expect([late.code, written]).toEqual([3, 0]);
    expect([inTime.code, inTime.report?.status]).toEqual([0, 'applied']);
  });

  test('is what a dry run cannot be given: it says how its plan is applied, and nothing stands refused', async () => {
    await using world = await createWorld();
    await world.people(ten);
    await settle(world);
    await world.people(ten.slice(3));
    const dry = await world.tdsync('reconcile', '--dry-run', '--out', world.path('plan.json'));
    const allowances = /tdsync apply plan\.json (.*?)`/.exec(dry.stdout)?.[1]?.split(' ') ?? [];

    const applied = await world.tdsync('apply', world.path('plan.json'), ...allowances);

    expect([dry.code, dry.stdout]).toEqual([3, expect.not.stringContaining('tdsync approve')]);
    expect(allowances.length).toBeGreaterThan(1);
    expect(applied.code, applied.stderr).toBe(0);
  });

  test('is shown by a dry run, which does not use it up', async () => {
    const { world, digest } = await refusedWorld();
    await using _world = world;
    await world.tdsync('approve', digest);

    const dry = await world.tdsync('reconcile', '--dry-run');
    const run = await reconcileInProcess(world);

    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain('approved it');
    expect(run.report?.status).toBe('applied');
  });

  test.each([
    ['a word', 'everything', 'is not a digest'],
    ['too few digits', 'abc', 'at least its first 8 hex digits'],
    ['the digest of no refused plan', '0123456789abcdef', 'the plan that stands refused is'],
  ])('refuses %s', async (_what, digest, message) => {
    const { world } = await refusedWorld();
    await using _world = world;

    const run = await world.tdsync('approve', digest);

    expect([run.code, run.stderr]).toEqual([64, expect.stringContaining(message)]);
  });

  test('refuses when nothing stands refused', async () => {
    await using world = await createWorld();

    const run = await world.tdsync('approve', '0123456789abcdef');

    expect([run.code, run.stderr]).toEqual([64, expect.stringContaining('no plan stands refused')]);
  });
});
