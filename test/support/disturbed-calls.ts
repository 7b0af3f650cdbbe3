/** Calls of a run that faults are played at. */
export const disturbedCalls = [
  { method: 'POST', path: '/v2/token' },
  { method: 'GET', path: '/scim/v2/Users' },
  { method: 'GET', path: '/scim/v2/Users/{id}' },
  { method: 'GET', path: '/v2/Organizations/RoleAssignments' },
  { method: 'POST', path: '/scim/v2/Users' },
  { method: 'PUT', path: '/scim/v2/Users/{id}' },
  { method: 'DELETE', path: '/scim/v2/Users/{id}' },
  { method: 'POST', path: '/v2/Organizations/RoleAssignments' },
  { method: 'DELETE', path: '/v2/Organizations/RoleAssignments/{id}' },
] as const;
