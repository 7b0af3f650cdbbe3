/** Roles (www.twilio.com/docs/iam/access-control/role-resource). */

import { refuse } from './errors.ts';
import { pageReply } from './paging.ts';
import type { Quirks } from './quirks.ts';
import type { Answer, Call, World } from './reply.ts';
import { sidOf } from './sids.ts';
import type { StoredRole } from './state.ts';

const catalogueDate = '2026-01-05T00:00:00Z';

export function listRoles(world: World, call: Call): Answer {
  const { query } = call;
  const expand = query.get('Expand') ?? 'false';
  if (!/^(true|false)$/i.test(expand)) return refuse(20001, 'Expand must be true or false');
  const search = query.get('Search')?.toLowerCase();
  const group = query.get('RoleProductGroup');
  const resourceTypes = query.get('ResourceTypes')?.split(',');
  const rows = named([...world.state.roles.values()], world.quirks).filter(
    (role) =>
      (search === undefined || role.name.toLowerCase().includes(search) || role.sid.toLowerCase() === search) &&
      (group === null || role.productGroup === group) &&
      (resourceTypes === undefined || role.resourceTypes?.some((type) => resourceTypes.includes(type)) === true),
  );
  const rules = { key: 'roles', maxSize: 1000, defaultSize: 50 };
  return pageReply(world, call, rows, rules, (role) => render(role, /^true$/i.test(expand), world.quirks));
}

/** The catalogue with the names that the organization shows: Twilio renames and adds, and not every role is everywhere. */
function named(roles: readonly StoredRole[], { roleNames }: Quirks): readonly StoredRole[] {
  switch (roleNames) {
    case 'documented':
      return roles;
    case 'renamed':
      return roles.map((role) => ({ ...role, name: `${role.name} (new)` }));
    case 'missing':
      return roles.filter(({ productGroup }) => productGroup === 'ORGANIZATION');
    case 'duplicated':
      return roles.flatMap((role, index) => [
        { ...role, order: 2 * index + 1 },
        { ...role, order: 2 * index + 2, sid: sidOf('IX', 0x900_000 + index), productGroup: 'OTHER' },
      ]);
  }
}

function render(role: StoredRole, expanded: boolean, quirks: Quirks): object {
  const group = role.productGroup.toLowerCase();
  return {
    sid: role.sid,
    friendly_name: role.name,
    external_description: role.description,
    product_group: role.productGroup,
    lowest_level: quirks.unknownValues ? 'PROJECT' : role.lowestLevel,
    role_product_group: { product_group: role.productGroup, friendly_name: `Twilio ${group}` },
    policy: expanded ? { allow: [`/twilio/${group}/*/*`], deny: null, format: 'v1' } : null,
    resource_types: role.resourceTypes ?? null,
    date_created: catalogueDate,
    date_updated: catalogueDate,
    ...(quirks.unknownProperties ? { deprecated: false } : undefined),
  };
}
