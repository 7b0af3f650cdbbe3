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
  /** What is known of a container, by its canonical DN. */
  stateOf(container: string): ContainerState;
  /** Bases of users whose groups are not known yet; from then on they count as known. */
  coverUsers(): readonly Place[];
  /**
   * Where to look for a group in a container of which nothing is known; `spelling` is the server's. From then on its groups count as known.
   * Throws SourceIncompleteError beyond the bound.
   */
  coverWith(container: string, spelling: string): Place & { readonly mayBeMissing: boolean };
}

/**
 * `unknown`: nobody has looked for groups directly below it; `groups`: all of them are known, and nothing else is expected there, as it
 * is below a base of `groups` and below none of `users`; `anything`: all of them are known.
 */
export type ContainerState = 'unknown' | 'groups' | 'anything';

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
  const states = new Map<string, ContainerState>();
  /** Neighbours among members stand in one container, as a rule. */
  let last: { readonly container: string; readonly state: ContainerState } | undefined;
  let others = 0;

  function stateOf(container: string): ContainerState {
    if (last?.container === container) return last.state;
    const state = states.get(container) ?? workOut(container);
    states.set(container, state);
    last = { container, state };
    return state;
  }
  function workOut(container: string): ContainerState {
    const isKnown = all.some(({ scope, key }) =>
      scope === 'sub' ? isWithin(container, key) : scope === 'one' && container === key,
    );
    if (!isKnown) return 'unknown';
    const isBelow = ({ key }: { readonly key: string }) => isWithin(container, key);
    return configured.some(isBelow) && !usersPlaces.some(isBelow) ? 'groups' : 'anything';
  }
  function add<P extends Place & { readonly key: string }>(place: P): P {
    all.push(place);
    states.clear();
    last = undefined;
    return place;
  }
  return {
    configured,
    all,
    stateOf,
    coverUsers: () => usersPlaces.filter(({ key }) => stateOf(key) === 'unknown').map(add),
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
