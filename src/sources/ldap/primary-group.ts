/**
 * A person's primary group in Active Directory stands in no `member` and no `memberOf`: only its number, the last part of the group's
 * SID, is kept with the person (MS-ADTS section 3.1.1.4.5.12). The rest of the SID is that of the person's own domain.
 */
import type { AttributeValue } from '../../domain/entry.ts';
import { SourceIncompleteError } from '../../errors.ts';

export interface PrimaryGroups {
  add(sid: string, group: number): void;
  /**
   * The group that is primary to a person, when it was added. A person whose SID is hidden is taken to be of the only domain that the
   * groups are of. Throws SourceIncompleteError when there are several.
   */
  find(dn: string, id: AttributeValue | undefined, sid: AttributeValue | undefined): number | undefined;
}

export function createPrimaryGroups(): PrimaryGroups {
  const groups = new Map<string, number>();
  const domains = new Set<string>();
  return {
    add(sid, group) {
      groups.set(sid, group);
      const domain = domainOf(sid);
      if (domain !== undefined) domains.add(domain);
    },
    find(dn, id, sid) {
      if (typeof id !== 'string') return undefined;
      const own = typeof sid === 'string' ? domainOf(sid) : undefined;
      const [only] = domains;
      const domain = own ?? only;
      if (own === undefined && domains.size > 1) {
        throw new SourceIncompleteError(
          `${dn} shows primaryGroupID ${id} without objectSid, and the groups are of ${domains.size} domains`,
          {
            hint: 'let the bind account read objectSid of the users, or set groups.primaryGroup to false',
          },
        );
      }
      return domain === undefined ? undefined : groups.get(`${domain}-${id}`);
    },
  };
}

/** Domains' SIDs begin with S-1-5-21; what else there is, such as S-1-5-32 of built-in groups, is nobody's primary group (MS-DTYP section 2.4.2.4). */
function domainOf(sid: string): string | undefined {
  return /^(S-1-5-21-.+)-\d+$/.exec(sid)?.[1];
}

/** Members of these are known by primaryGroupID alone, as a rule: domain users, guests, computers, controllers. */
export function isUsuallyPrimary(sid: string): boolean {
  return /^S-1-5-21-.+-51[3-6]$/.test(sid);
}
