import { composeSource, ldapOutside } from '../compose.ts';
import type { Entry } from '../domain/entry.ts';
import { buildDesiredState } from '../engine/desired-state.ts';
import { plural } from '../report/plan-text.ts';
import type { Examination } from '../sources/ldap/examine.ts';
import type { Check } from './doctor.ts';
import type { Session } from './session.ts';

/** People of whom a value is shown for each attribute. */
const sampled = 3;
const mostFindings = 5;
const longestValue = 40;

/** What the bound account may do at an LDAP server, and how many entries each base holds. */
export async function checkDirectory(
  { configuration: { source }, rim }: Session,
  signal: AbortSignal,
): Promise<Check[]> {
  if (source.type !== 'ldap') return [];
  const { examine } = await import('../sources/ldap/examine.ts');
  const found = await examine(source.options, ldapOutside(rim), rim.logger, signal);
  return [
    ...found.counts.map(({ what, base, filter, entries }): Check => {
      const message = `${what} below "${base}" with filter ${filter}: ${entries === 1 ? '1 entry' : `${entries} entries`}`;
      if (entries > 0) return { check: 'base', state: 'ok', message };
      const hint = 'check base, filter and scope, and that the bind account may see the entries';
      return { check: 'base', state: 'warning', message, hint };
    }),
    ...describeAbilities(found),
  ];
}

function describeAbilities({ url, product, pages, ranges, unpaged, pageSize, limits }: Examination): Check[] {
  const abilities = [
    pages ? 'pages' : 'no pages',
    ranges ? 'ranges of values' : 'all values of an attribute at once',
    ...limits,
  ];
  const name = product === undefined ? url : `${url} (${product})`;
  const checks: Check[] = [{ check: 'directory', state: 'ok', message: `${name}: ${abilities.join(', ')}` }];
  if (!pages) {
    checks.push({
      check: 'limits',
      state: 'warning',
      message: 'the server does not offer paged results to this account (RFC 2696)',
      hint: 'allow the control for the account, or its size limit must let everybody through at once',
    });
  }
  if (pageSize !== undefined) {
    const message = `the server gives ${pageSize} entries a page at most; smaller pages are asked for`;
    checks.push({ check: 'limits', state: 'ok', message });
  }
  const { entries, answer } = unpaged;
  checks.push(
    answer === undefined
      ? { check: 'limits', state: 'ok', message: `no size limit was met, not even without pages (${entries} entries)` }
      : {
          check: 'limits',
          state: 'ok',
          message: `without pages this account gets ${entries} entries (${answer}); reads go page by page`,
        },
  );
  return checks;
}

/** A whole read: the only proof that the next run's read will be complete. Counts what the rules ask for on the way. */
export async function checkSource({ configuration, compiled, rim }: Session, signal: AbortSignal): Promise<Check[]> {
  const source = await composeSource(configuration.source, rim);
  const builder = buildDesiredState(compiled, noEntitlements(configuration.rules.roles.length), () => false);
  const census = takeCensus(compiled.demand);
  const take = (entry: Entry) => {
    census.count(entry);
    builder.accept(entry);
  };
  const read = await source.read(compiled.demand, take, signal);
  const { inScope, findings, entries } = builder.finish();
  const rest = findings.length - mostFindings;
  return [
    {
      check: 'source',
      state: 'ok',
      message: `${read.description}: complete read of ${entries === 1 ? '1 entry' : `${entries} entries`}`,
    },
    ...census.checks(entries),
    inScope === 0
      ? {
          check: 'filter',
          state: 'failed',
          message: 'the filter matches nobody',
          hint: 'correct `filter`; a run would be refused',
        }
      : { check: 'filter', state: 'ok', message: `${inScope === 1 ? '1 person' : `${inScope} people`} in scope` },
    ...findings
      .slice(0, mostFindings)
      .map(({ code, message }): Check => ({ check: 'mapping', state: 'warning', message: `${code}: ${message}` })),
    ...(rest > 0 ? [{ check: 'mapping', state: 'warning', message: `and ${rest} more` } as const] : []),
  ];
}

/** Without it a run is only slower, but somebody has asked for it. */
export async function checkIncremental(
  { configuration, compiled, rim }: Session,
  signal: AbortSignal,
): Promise<Check[]> {
  const { incremental } = await composeSource(configuration.source, rim);
  if (incremental === undefined) return [];
  return [{ check: 'incremental', state: 'ok', message: await incremental.check(compiled.demand, signal) }];
}

/** Role names are checked at Twilio; here only whom the rules reach counts. */
function noEntitlements(rules: number): Parameters<typeof buildDesiredState>[1] {
  return {
    rules: Array.from({ length: rules }, () => []),
    named: new Set(),
    scopes: new Set(),
    nameOf: () => {
      throw new Error('unused');
    },
  };
}

/** How many entries have each attribute that the rules name, with a few values, and how many are in each of their groups. */
function takeCensus({ attributes, groups }: Session['compiled']['demand']) {
  const names = attributes === 'all' ? [] : attributes;
  const present = new Map<string, { count: number; samples: string[] }>(
    names.map((name) => [name, { count: 0, samples: [] }]),
  );
  const members = new Map<string, number>(groups.map((group) => [group, 0]));
  return {
    count(entry: Entry): void {
      for (const [name, found] of present) {
        const value = entry.attributes[name];
        if (value === undefined) continue;
        found.count += 1;
        if (found.samples.length < sampled) found.samples.push(shortened([value].flat().join(' | ')));
      }
      for (const group of entry.groups) {
        const known = members.get(group);
        if (known !== undefined) members.set(group, known + 1);
      }
    },
    checks: (entries: number): Check[] => [
      ...[...present].map(([name, { count, samples }]) => attributeCheck(name, count, samples, entries)),
      ...[...members].map(([group, count]) => groupCheck(group, count)),
    ],
  };
}

function attributeCheck(name: string, count: number, samples: readonly string[], entries: number): Check {
  if (count === 0) {
    const message = `${name}: no entry has it`;
    const hint = 'check its spelling in the rules, and that it may be read';
    return { check: 'attribute', state: 'warning', message, hint };
  }
  const share = count === entries ? 'every entry' : `${count} of ${entries}`;
  return { check: 'attribute', state: 'ok', message: `${name}: ${share}, e.g. ${samples.join(', ')}` };
}

function groupCheck(group: string, count: number): Check {
  if (count > 0)
    return { check: 'group', state: 'ok', message: `${group}: ${plural(count, 'member')} among the people` };
  const message = `${group}: none of the people is a member`;
  return { check: 'group', state: 'warning', message, hint: 'an empty group takes its roles away from everybody' };
}

function shortened(value: string): string {
  return value.length > longestValue ? `${value.slice(0, longestValue)}…` : value;
}
