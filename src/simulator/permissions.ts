/** Permissions of organization OAuth apps (www.twilio.com/docs/iam/oauth-apps/org-oauth-apps). */

import type { Failure } from './errors.ts';
import type { Quirks } from './quirks.ts';

export const permissionNames = [
  'managed-users/list',
  'managed-users/read',
  'managed-users/create',
  'managed-users/update',
  'managed-users/delete',
  'role-assignments/list',
  'role-assignments/create',
  'role-assignments/delete',
  'roles/list',
] as const;
export type PermissionName = (typeof permissionNames)[number];

/** The refusal of a call that the app may not make. */
export function missingPermission(permission: PermissionName, quirks: Quirks): Failure {
  const [status, code] = quirks.permissionRefusal.split('-').map(Number);
  return {
    kind: 'failure',
    status: status ?? 403,
    code,
    message: `Permission denied: this app lacks the permission twilio/iam/${permission}`,
  };
}
