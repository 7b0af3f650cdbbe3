/**
 * Linked people whom Twilio no longer shows. When a domain lapses, everybody in it leaves the organization at once, without
 * anybody having done anything: one finding tells of the domain, instead of a page of people hiding it.
 */
import { compareStrings, normalizeEmail } from '../domain/identity.ts';
import type { Finding } from '../domain/plan.ts';
import type { UserIndex } from './correlate.ts';

/** People of one domain who are told of one by one. */
const singly = 5;

/** The findings, with those of many gone people of a domain made one. */
export function groupGone(findings: readonly Finding[], users: UserIndex): readonly Finding[] {
  const byDomain = new Map<string, Finding[]>();
  for (const finding of findings) {
    if (finding.code !== 'gone') continue;
    const domain = domainOf(finding.userName ?? '');
    const known = byDomain.get(domain);
    if (known === undefined) byDomain.set(domain, [finding]);
    else known.push(finding);
  }
  const large = [...byDomain].filter(([, each]) => each.length > singly);
  if (large.length === 0) return findings;
  const grouped = new Set(large.flatMap(([, each]) => each));
  const shown = new Set<string>();
  for (const { attributes } of users.bySid.values()) shown.add(domainOf(attributes.userName));
  return [
    ...findings.filter((finding) => !grouped.has(finding)),
    ...large.map(([domain, each]) => domainFinding(domain, each, shown.has(domain))),
  ];
}

function domainFinding(domain: string, people: readonly Finding[], isShown: boolean): Finding {
  const names = people.map(({ userName, externalId }) => userName ?? externalId).sort(compareStrings);
  const who = `${names.slice(0, singly).join(', ')} and ${names.length - singly} more`;
  const cause = isShown
    ? 'look for them in the Console'
    : 'and nobody else in that domain: look in the Console whether it is still verified';
  const message = `Twilio no longer shows ${people.length} linked people in ${domain} (${who}), ${cause}; \`tdsync managed\` lists everybody who is gone`;
  return { code: 'gone', externalId: '', domain, message };
}

function domainOf(address: string): string {
  const normal = normalizeEmail(address);
  return normal.slice(normal.lastIndexOf('@') + 1);
}
