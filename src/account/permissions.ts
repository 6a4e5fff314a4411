/**
 * Who may do what: the roles of people and the scopes of API keys, as data (contract-details B).
 *
 * Both answer one question, "is this permission held?", so a route names one permission and never a role or a scope.
 * Pure; what a caller may see of one row (own company, own calendar) is not decided here.
 */

/** The roles of a company's users, lowest first: a role may all that the roles before it may. */
export const ROLES = ['READONLY', 'STAFF', 'MANAGER', 'ADMIN', 'OWNER'] as const;

/** A user's role in their one company. */
export type Role = (typeof ROLES)[number];

/** The scopes a key may be given: the public names, in the order the OpenAPI document lists them. */
export const SCOPES = [
  'clients:read',
  'clients:write',
  'catalog:read',
  'catalog:write',
  'appointments:read',
  'appointments:write',
  'appointments:overlap',
  'invoices:read',
  'invoices:write',
  'payments:read',
  'payments:write',
  'analytics:read',
  'events:read',
  'audit:read',
  'users:read',
  'users:write',
  'webhooks:read',
  'webhooks:write',
  'import',
  'export',
  'erase',
  'admin',
] as const;

/** A scope of an API key. Each is also the permission of that name. */
export type Scope = (typeof SCOPES)[number];

/** Everything a route can ask for: the scopes, and what has no scope of its own. */
export type Permission =
  | Scope
  | 'merge'
  | 'company:read'
  | 'company:write'
  | 'alerts'
  | 'api-keys'
  | 'realtime'
  | 'owner:grant';

/** The lowest role that holds a permission: the table of contract-details B, read downwards. */
const LOWEST_ROLE: Readonly<Record<Permission, Role>> = {
  'clients:read': 'READONLY',
  'catalog:read': 'READONLY',
  'appointments:read': 'READONLY',
  'events:read': 'READONLY',
  'company:read': 'READONLY',
  realtime: 'READONLY',

  'clients:write': 'STAFF',
  'appointments:write': 'STAFF',

  'appointments:overlap': 'MANAGER',
  'catalog:write': 'MANAGER',
  'invoices:read': 'MANAGER',
  'invoices:write': 'MANAGER',
  'payments:read': 'MANAGER',
  'payments:write': 'MANAGER',
  'analytics:read': 'MANAGER',
  import: 'MANAGER',
  export: 'MANAGER',
  merge: 'MANAGER',

  'users:read': 'ADMIN',
  'users:write': 'ADMIN',
  'webhooks:read': 'ADMIN',
  'webhooks:write': 'ADMIN',
  'audit:read': 'ADMIN',
  erase: 'ADMIN',
  'company:write': 'ADMIN',
  alerts: 'ADMIN',
  'api-keys': 'ADMIN',
  admin: 'ADMIN',

  'owner:grant': 'OWNER',
};

/** The scopes that let something be read: whoever holds one may listen, and hears only what it covers. */
const READING = SCOPES.filter((scope) => scope.endsWith(':read') || scope.endsWith(':write'));

/** What stands behind a permission that is not itself a scope: any one of these, or every key there is. */
const SCOPES_BEHIND: Readonly<Record<Exclude<Permission, Scope>, readonly Scope[] | 'every key'>> = {
  merge: ['clients:write'],
  'company:read': 'every key',
  'company:write': ['admin'],
  alerts: ['admin'],
  'api-keys': ['admin'],
  realtime: READING,
  // A key is not a person: it never makes or unmakes an owner.
  'owner:grant': [],
};

const roles: ReadonlySet<unknown> = new Set(ROLES);
const scopes: ReadonlySet<unknown> = new Set(SCOPES);

/** Is this one of the role names? For what comes from a body or a token. */
export function isRole(value: unknown): value is Role {
  return roles.has(value);
}

/** Is this one of the scope names? For what comes from a body. */
export function isScope(value: unknown): value is Scope {
  return scopes.has(value);
}

/** Is it declared above? Nobody holds what is not. */
function isPermission(name: string): name is Permission {
  return Object.hasOwn(LOWEST_ROLE, name);
}

/** A role's place in the order, 0 (READONLY) to 4 (OWNER): "not above oneself" compares these. */
export function rank(role: Role): number {
  return ROLES.indexOf(role);
}

/** The roles that hold a permission, lowest first: OWNER holds all there are. */
export function rolesWith(permission: string): Role[] {
  return isPermission(permission) ? ROLES.slice(rank(LOWEST_ROLE[permission])) : [];
}

/** May a user of this role do it? */
export function roleMay(role: Role, permission: string): boolean {
  return isPermission(permission) && rank(role) >= rank(LOWEST_ROLE[permission]);
}

/**
 * May a key with these scopes do it? `x:write` includes `x:read`; `import`, `export`, `erase` and `admin` need the scope
 * of that name; merging needs `clients:write`; company, alerts and keys need `admin`, which includes nothing else;
 * `GET /company` is open to every key; realtime to any key that may read something. Unknown scopes grant nothing.
 */
export function scopesAllow(scopes: readonly string[], permission: string): boolean {
  if (!isPermission(permission)) return false;
  if (!isScope(permission)) {
    const behind = SCOPES_BEHIND[permission];
    return behind === 'every key' || behind.some((scope) => scopes.includes(scope));
  }
  const writing = permission.replace(/:read$/, ':write');
  return scopes.includes(permission) || (isScope(writing) && scopes.includes(writing));
}

/**
 * The scopes someone of this role may put into a key: those whose permission the role holds itself, in public order.
 * Who may create keys at all is the permission `api-keys`. When a key creates a key, allow the scopes `s` for which
 * `scopesAllow(its own scopes, s)`.
 */
export function grantableScopes(role: Role): Scope[] {
  return SCOPES.filter((scope) => roleMay(role, scope));
}

/** What whoever does something that takes all of these permissions must have: scopes of a key, or at least this role. */
export function needsOf(names: readonly string[]): { scopes: Scope[]; role: Role } {
  const permissions = names.filter(isPermission);
  const lowest = permissions.map((permission) => rank(LOWEST_ROLE[permission]));
  const scopes = permissions.flatMap((permission) => {
    if (isScope(permission)) return [permission];
    const behind = SCOPES_BEHIND[permission];
    return behind === 'every key' ? [] : behind;
  });
  return { scopes, role: ROLES[Math.max(0, ...lowest)] ?? 'OWNER' };
}
