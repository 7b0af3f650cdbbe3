/**
 * Where groups may stand that are members of groups, or have members that we read.
 *
 * | a container                          | is looked through |
 * |--------------------------------------|-------------------|
 * | below a base of `groups`             | as far as `groups.scope` reaches |
 * | below a base of `users`              | with that whole base, once: groups stand among people in many directories |
 * | any other                            | by itself, one level; at most 100 of them |
 *
 * So the number of searches follows from the number of containers, never from that of members.
 */
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import { isWithin, normalizeDn } from './dn.ts';
import type { Place } from './group-reader.ts';
import { distinctBases } from './options.ts';

export interface GroupPlaces {
  /** Where the configuration says that groups are. */
  readonly configured: readonly Place[];
  /** Every place so far, whose groups are known. */
  readonly all: readonly Place[];
  /** Whether the groups directly below this canonical DN are known already. */
  covers(container: string): boolean;
  /** Bases of users that are not covered yet; from then on they count as covered. */
  coverUsers(): readonly Place[];
  /** Whether only groups are to be expected there: it is below a base of `groups` and below none of `users`. */
  isForGroups(container: string): boolean;
  /**
   * Where to look for a group in a container that is not covered; `spelling` is the server's. From then on it counts as covered.
   * Throws SourceIncompleteError beyond the bound.
   */
  coverWith(container: string, spelling: string): Place & { readonly mayBeMissing: boolean };
}

const mostContainers = 100;

export function createGroupPlaces(
  url: string,
  groups: Pick<LdapOptions['users'], 'baseDn' | 'scope'>,
  users: Pick<LdapOptions['users'], 'baseDn'>,
): GroupPlaces {
  const keyed = (place: Place) => ({ ...place, key: normalizeDn(place.base) ?? place.base });
  const configured = distinctBases(groups.baseDn, groups.scope).map((base) => keyed({ base, scope: groups.scope }));
  const usersPlaces = distinctBases(users.baseDn, 'sub').map((base) => keyed({ base, scope: 'sub' }));
  const all = [...configured];
  const answers = new Map<string, boolean>();
  let others = 0;

  function covers(container: string): boolean {
    const known = answers.get(container);
    if (known !== undefined) return known;
    const answer = all.some(({ scope, key }) =>
      scope === 'sub' ? isWithin(container, key) : scope === 'one' && container === key,
    );
    answers.set(container, answer);
    return answer;
  }
  function add<P extends Place & { readonly key: string }>(place: P): P {
    all.push(place);
    answers.clear();
    return place;
  }
  return {
    configured,
    all,
    covers,
    coverUsers: () => usersPlaces.filter(({ key }) => !covers(key)).map(add),
    isForGroups: (container) =>
      configured.some(({ key }) => isWithin(container, key)) &&
      !usersPlaces.some(({ key }) => isWithin(container, key)),
    coverWith(container, spelling) {
      const amongUsers = usersPlaces.find(({ key }) => isWithin(container, key));
      if (amongUsers !== undefined) return { ...add(amongUsers), mayBeMissing: false };
      others += 1;
      if (others > mostContainers) {
        throw new SourceIncompleteError(
          `${url}: groups have members in more than ${mostContainers} places outside groups.baseDn and users.baseDn, the last one ${spelling}: these could be groups themselves`,
          { hint: 'add a base that holds these places to groups.baseDn, or set groups.nested to false' },
        );
      }
      return { ...add(keyed({ base: spelling, scope: 'one' })), mayBeMissing: true };
    },
  };
}
