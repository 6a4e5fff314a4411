import { describe, expect, it } from 'vitest';
import {
  grantableScopes,
  isRole,
  isScope,
  type Permission,
  ROLES,
  type Role,
  rank,
  roleMay,
  rolesWith,
  SCOPES,
  scopesAllow,
} from '../../../src/account/permissions.ts';
import { everyRoute } from '../../../src/app.ts';

/** The table of contract-details B, copied row by row: what it says, by the columns it ticks. */
const TABLE: { row: string; ticks: Role[]; permissions: Permission[] }[] = [
  {
    row: 'read clients, catalogue, calendar; realtime on these; GET /company and events: any role',
    ticks: ['READONLY', 'STAFF', 'MANAGER', 'ADMIN', 'OWNER'],
    permissions: ['clients:read', 'catalog:read', 'appointments:read', 'realtime', 'company:read', 'events:read'],
  },
  {
    row: 'write clients, appointments, holds, waitlist',
    ticks: ['STAFF', 'MANAGER', 'ADMIN', 'OWNER'],
    permissions: ['clients:write', 'appointments:write'],
  },
  {
    row: 'overlap, catalogue writes, invoices, payments, refunds, analytics, import, export, merge',
    ticks: ['MANAGER', 'ADMIN', 'OWNER'],
    permissions: [
      'appointments:overlap',
      'catalog:write',
      'invoices:read',
      'invoices:write',
      'payments:read',
      'payments:write',
      'analytics:read',
      'import',
      'export',
      'merge',
    ],
  },
  {
    row: 'users, api-keys, webhooks, audit, erase, company, alerts',
    ticks: ['ADMIN', 'OWNER'],
    permissions: [
      'users:read',
      'users:write',
      'api-keys',
      'webhooks:read',
      'webhooks:write',
      'audit:read',
      'erase',
      'company:write',
      'alerts',
      'admin',
    ],
  },
  { row: 'grant or remove OWNER', ticks: ['OWNER'], permissions: ['owner:grant'] },
];

const cells = TABLE.flatMap(({ permissions, ticks }) => permissions.map((permission) => ({ permission, ticks })));
const PERMISSIONS = cells.map(({ permission }) => permission);

describe('roles', () => {
  it.each(cells)('$permission: $ticks', ({ permission, ticks }) => {
    expect(rolesWith(permission)).toEqual(ticks);
    for (const role of ROLES) expect(roleMay(role, permission), role).toBe(ticks.includes(role));
  });

  it('names every permission in exactly one row', () => {
    expect(new Set(PERMISSIONS).size).toBe(PERMISSIONS.length);
    expect(SCOPES.filter((scope) => !PERMISSIONS.includes(scope))).toEqual([]);
  });

  it('ranks OWNER > ADMIN > MANAGER > STAFF > READONLY', () => {
    const falling: Role[] = ['OWNER', 'ADMIN', 'MANAGER', 'STAFF', 'READONLY'];
    expect(falling.map(rank)).toEqual([4, 3, 2, 1, 0]);
  });

  it('hands out lists of its own', () => {
    rolesWith('clients:read').length = 0;
    expect(rolesWith('clients:read')).toHaveLength(5);
  });

  it.each(['owner', '', 'toString', null, 4])('does not know the role %j', (value) => {
    expect(isRole(value)).toBe(false);
  });
});

/** For each permission, every single scope that is enough for it; no other is. */
const ENOUGH: Record<Permission, readonly string[]> = {
  'clients:read': ['clients:read', 'clients:write'],
  'clients:write': ['clients:write'],
  'catalog:read': ['catalog:read', 'catalog:write'],
  'catalog:write': ['catalog:write'],
  'appointments:read': ['appointments:read', 'appointments:write'],
  'appointments:write': ['appointments:write'],
  'appointments:overlap': ['appointments:overlap'],
  'invoices:read': ['invoices:read', 'invoices:write'],
  'invoices:write': ['invoices:write'],
  'payments:read': ['payments:read', 'payments:write'],
  'payments:write': ['payments:write'],
  'analytics:read': ['analytics:read'],
  'events:read': ['events:read'],
  'audit:read': ['audit:read'],
  'users:read': ['users:read', 'users:write'],
  'users:write': ['users:write'],
  'webhooks:read': ['webhooks:read', 'webhooks:write'],
  'webhooks:write': ['webhooks:write'],
  import: ['import'],
  export: ['export'],
  erase: ['erase'],
  admin: ['admin'],
  merge: ['clients:write'],
  'company:read': SCOPES,
  'company:write': ['admin'],
  alerts: ['admin'],
  'api-keys': ['admin'],
  realtime: [
    'clients:read',
    'clients:write',
    'catalog:read',
    'catalog:write',
    'appointments:read',
    'appointments:write',
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
  ],
  'owner:grant': [],
};

describe('scopes', () => {
  it.each(PERMISSIONS)('%s', (permission) => {
    expect(SCOPES.filter((scope) => scopesAllow([scope], permission))).toEqual(ENOUGH[permission]);
    expect(scopesAllow(SCOPES, permission)).toBe(permission !== 'owner:grant');
  });

  it('needs one sufficient scope among several', () => {
    expect(scopesAllow(['events:read', 'clients:write'], 'clients:read')).toBe(true);
    expect(scopesAllow(['catalog:write', 'appointments:read'], 'appointments:write')).toBe(false);
  });

  it('opens nothing but the company to a key without scopes', () => {
    expect(PERMISSIONS.filter((permission) => scopesAllow([], permission))).toEqual(['company:read']);
  });

  it.each([
    '*',
    'clients',
    'clients:',
    'clients:*',
    'CLIENTS:READ',
    'owner:grant',
    'merge',
    'api-keys',
    'analytics:write',
  ])('the unknown scope %s opens nothing', (scope) => {
    expect(isScope(scope)).toBe(false);
    const opened = PERMISSIONS.filter((permission) => scopesAllow([scope], permission));
    expect(opened).toEqual(['company:read']);
  });
});

describe('what a creator may put into a key', () => {
  it.each([
    ['READONLY', ['clients:read', 'catalog:read', 'appointments:read', 'events:read']],
    [
      'STAFF',
      ['clients:read', 'clients:write', 'catalog:read', 'appointments:read', 'appointments:write', 'events:read'],
    ],
    [
      'MANAGER',
      [
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
        'import',
        'export',
      ],
    ],
    ['ADMIN', [...SCOPES]],
    ['OWNER', [...SCOPES]],
  ] as [Role, string[]][])('%s', (role, scopes) => {
    expect(grantableScopes(role)).toEqual(scopes);
  });

  it('never gives a key what its creator may not', () => {
    // Only of those who may create keys at all: below ADMIN, `clients:write` would bring merging with it.
    for (const role of rolesWith('api-keys')) {
      const scopes = grantableScopes(role);
      const beyond = PERMISSIONS.filter((permission) => scopesAllow(scopes, permission) && !roleMay(role, permission));
      expect(beyond, role).toEqual([]);
    }
  });
});

describe('a permission that nobody declared', () => {
  // As a route of a new resource may name one: whoever asks is refused, not let in.
  it.each(['suppliers:write', 'constructor', ''])('%j is held by no role and no scope', (permission) => {
    expect(ROLES.filter((role) => roleMay(role, permission))).toEqual([]);
    expect(rolesWith(permission)).toEqual([]);
    expect(scopesAllow([...SCOPES, permission], permission)).toBe(false);
  });

  it('is named by no route', () => {
    const named = everyRoute().flatMap(({ permission }) => permission ?? []);
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((permission) => rolesWith(permission).length === 0)).toEqual([]);
  });
});
