import { test } from 'vitest';
import { reconcileInProcess, createSkippingClock, outcomesOf } from '../support/in-process.ts';
import { pictureOf, assignedTwice, mailedTwice } from '../support/organization.ts';
import { prepareMixedChange } from '../support/mixed-change.ts';
test('x', async () => {
  await using base = await prepareMixedChange();
  const clock = createSkippingClock();
  await using world = await base.open({ now: clock.now });
  const r = await reconcileInProcess(world, { clock });
  console.log(r.code, r.error, outcomesOf(r), world.twilio.requests.writes, world.twilio.requests.counts);
  const r2 = await reconcileInProcess(world, { clock });
  console.log(r2.report?.status, r2.report?.findings);
  console.log(JSON.stringify(pictureOf(world.twilio).users.map(u=>[u.userName,u.externalId,u.active, u.emails?.[0].value])), pictureOf(world.twilio).assignments, mailedTwice(world.twilio), assignedTwice(world.twilio));
});
