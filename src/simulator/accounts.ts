/** Accounts of the organization, which only Twilio's older host offers (OpenAPI description of the Organization Public API). */

import { type Failure, refuse } from './errors.ts';
import { pageReply } from './paging.ts';
import { type Answer, type Call, json, type World } from './reply.ts';
import type { StoredAccount } from './state.ts';
import { isFailure } from './user-validation.ts';

export function listAccounts(world: World, call: Call): Answer {
  const refusal = accessTo(world);
  if (isFailure(refusal)) return refusal;
  const rows = [...world.state.accounts.values()].filter((account) => account.parent === undefined);
  return pageReply(world, call, rows, { key: 'content', maxSize: 100, defaultSize: 50 }, (row) => render(row, world));
}

export function getAccount(world: World, call: Call): Answer {
  const refusal = accessTo(world);
  if (isFailure(refusal)) return refusal;
  const account = world.state.accounts.get(call.params[0] ?? '');
  return account === undefined ? refuse(25101) : json(200, render(account, world));
}

function accessTo(world: World): Failure | undefined {
  if (world.quirks.accounts === '403') return refuse(20003, 'not available to this app', 403);
  return world.quirks.accounts === '404' ? refuse(20404) : undefined;
}

function render(account: StoredAccount, { quirks }: World): object {
  return {
    account_sid: account.sid,
    friendly_name: account.name,
    status: quirks.unknownValues ? 'frozen' : account.status,
    owner_sid: account.owner ?? null,
    date_created: '2025-11-02T08:00:00Z',
  };
}
