import { statSync } from 'node:fs';
import { composeTarget } from '../compose.ts';
import type { Configuration } from '../config/configuration.ts';
import { checkSecrets, secretNotices } from '../config/secret-checks.ts';
import type { Account, Role } from '../domain/user.ts';
import { resolveEntitlements } from '../engine/entitlements.ts';
import { resolveWatchedRoles } from '../engine/watched-roles.ts';
import { ConfigError, TdsyncError } from '../errors.ts';
import { onShutdown } from '../ops/shutdown.ts';
import { documentJson } from '../report/json.ts';
import { printable } from '../report/palette.ts';
import { plural } from '../report/plan-text.ts';
import type { GlobalOptions } from './command-line.ts';
import { checkApproval } from './doctor-approval.ts';
import { checkHooks } from './doctor-hooks.ts';
import { checkPermissions } from './doctor-permissions.ts';
import { checkServers } from './doctor-servers.ts';
import { checkDirectory, checkIncremental, checkSource } from './doctor-source.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { locate, openSession, type Session } from './session.ts';
import { palette, print } from './terminal.ts';

export interface Check {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly message: string;
  /** How to mend it. */
  readonly hint?: string;
}

interface DoctorOptions extends GlobalOptions {
  readonly notify?: boolean;
  readonly permissions?: boolean;
}

/** Looks at everything a run needs, without changing anything anywhere; writes to hooks, if asked. Exit 1 when something failed. */
export async function doctor(options: DoctorOptions): Promise<ExitCode> {
  const session = openSession(options);
  using shutdown = onShutdown();
  const checks: Check[] = [
    { check: 'configuration', state: 'ok', message: `${session.loaded.file} is valid` },
    ...checkFileModes(session),
    ...checkSecretReferences(session),
    ...(await attempt('snapshot', () => checkSnapshotFile(session))),
    ...(await checkTwilio(session, options.permissions !== false, shutdown.signal)),
    ...(await attempt('servers', () => checkServers(session, shutdown.signal))),
    ...(await attempt('directory', () => checkDirectory(session, shutdown.signal))),
    ...(await attempt('source', () => checkSource(session, shutdown.signal))),
    ...(await attempt('incremental', () => checkIncremental(session, shutdown.signal))),
    ...(options.notify === true ? await checkHooks(session, shutdown.signal) : []),
  ];
  print(options.json ? documentJson({ checks }) : asText(checks));
  return checks.some(({ state }) => state === 'failed') ? exitCodes.unexpected : exitCodes.ok;
}

function asText(checks: readonly Check[]): string {
  const colours = palette();
  const marks = { ok: colours.added('✓'), warning: colours.changed('!'), failed: colours.removed('✗') };
  const width = Math.max(...checks.map(({ check }) => check.length));
  const lines = checks.flatMap(({ check, state, message, hint }) => [
    `${marks[state]} ${check.padEnd(width)}  ${printable(message)}`,
    ...(hint === undefined ? [] : [`  ${' '.repeat(width)}  → ${printable(hint)}`]),
  ]);
  return `${lines.join('\n')}\n`;
}

export async function attempt(check: string, work: () => Check[] | Promise<Check[]>): Promise<Check[]> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TdsyncError)) throw error;
    const { message, hint } = error;
    return [{ check, state: 'failed', message, ...(hint !== undefined && { hint }) }];
  }
}

function checkFileModes({ loaded }: Session): Check[] {
  const mode = statSync(loaded.file).mode & 0o777;
  if ((mode & 0o022) === 0) return [];
  const message = `${loaded.file} can be changed by others (mode ${mode.toString(8)})`;
  return [{ check: 'file modes', state: 'warning', message, hint: `chmod go-w ${loaded.file}` }];
}

function checkSecretReferences({ configuration }: Session): Check[] {
  const checks = checkSecrets(configuration).map(({ path, reference, resolves, message, hint }): Check => {
    if (resolves) return { check: 'secret', state: 'ok', message: `${path}: ${reference} can be read` };
    return {
      check: 'secret',
      state: 'failed',
      message: message ?? `${path}: ${reference} cannot be read`,
      ...(hint && { hint }),
    };
  });
  const notices = secretNotices(configuration).map(
    ({ message }): Check => ({ check: 'secret', state: 'warning', message }),
  );
  return [...checks, ...notices];
}

async function checkSnapshotFile({ configuration }: Session): Promise<Check[]> {
  const { checkSnapshot } = await import('../store/check.ts');
  const { exists, path, mode, size, problems } = checkSnapshot(configuration.snapshot.path);
  if (problems.length > 0) return problems.map((message): Check => ({ check: 'snapshot', state: 'failed', message }));
  const message = exists
    ? `${path} is sound (${Math.ceil(size / 1024)} KiB, mode ${mode})`
    : `${path} does not exist yet; the first run makes it`;
  return [{ check: 'snapshot', state: 'ok', message }];
}

/** Token, the names in the role rules, the three listings, the other permissions, and on whose approval the access rests. */
async function checkTwilio(
  { loaded, configuration, rim }: Session,
  withPermissions: boolean,
  signal: AbortSignal,
): Promise<Check[]> {
  const { rules } = configuration;
  await using target = await composeTarget(configuration, rim);
  const roles = await attempt('roles', async () => {
    const listed = await target.listRoles(signal);
    const list = listed ?? [];
    const accounts = await target.listAccounts(signal);
    const issues = [
      ...resolveEntitlements(rules.roles, list, accounts, rules.organization).issues,
      ...resolveWatchedRoles(rules.guards.keepAtLeastOne, list, accounts, rules.organization).issues,
    ];
    const seen: Check = {
      check: 'roles',
      state: 'ok',
      message:
        listed === undefined
          ? 'this generation of the API lists no roles; the IX… SIDs of the rules are believed'
          : `${plural(list.length, 'role')} in the organization`,
    };
    const unknown = issues.map((issue): Check => {
      const { message } = new ConfigError([locate(issue, loaded)]);
      return {
        check: 'role rules',
        state: 'failed',
        message,
        hint: 'correct the rule; `tdsync roles` lists the roles',
      };
    });
    return [
      seen,
      ...unknownSids(configuration, listed, accounts),
      ...(issues.length === 0
        ? [{ check: 'role rules', state: 'ok', message: 'every role and scope resolves' } as const]
        : unknown),
    ];
  });
  const users = await attempt('users', async () => {
    const count = await target.listUsers(() => {}, signal);
    return [
      { check: 'users', state: 'ok', message: `${plural(count, 'user')} in the organization, the list is complete` },
    ];
  });
  const assignments = await attempt('role assignments', async () => {
    const count = await target.listAssignments({ scope: rules.organization }, () => {}, signal);
    return [{ check: 'role assignments', state: 'ok', message: `${count} in the organization's own scope` }];
  });
  const permissions = withPermissions
    ? await attempt('permission', () => checkPermissions(target, rules.policy, signal))
    : [];
  const approval = await attempt('approval', () => checkApproval(configuration, target, signal));
  return [...roles, ...users, ...assignments, ...permissions, ...approval];
}

/** SIDs are believed in a run, because Twilio need not list all to this application; a typing error would show only there. */
function unknownSids(
  { rules }: Configuration,
  roles: readonly Role[] | undefined,
  accounts: readonly Account[] | undefined,
): readonly Check[] {
  const listed = new Set<string>([...(roles ?? []), ...(accounts ?? [])].map(({ sid }) => sid));
  const given = rules.roles.flatMap(({ grants }) => grants.flatMap(({ role, scope }) => [role, scope]));
  const isUnknown = (name: string) =>
    !listed.has(name) &&
    ((roles !== undefined && /^IX[0-9a-f]{32}$/.test(name)) ||
      (accounts !== undefined && /^AC[0-9a-f]{32}$/.test(name)));
  return [...new Set(given.filter(isUnknown))].map((sid) => ({
    check: 'role rules',
    state: 'warning',
    message: `${sid} is not in Twilio's list of ${sid.startsWith('IX') ? 'roles' : 'accounts'}`,
    hint: 'check the SID; a run would create people and then fail to give them the role',
  }));
}
