import type { Api, Json, Reply, Tenant } from './api.ts';
import { availabilityRefusals } from './availability-refusals.ts';
import { invoiceRefusals, paymentRefusals } from './billing-refusals.ts';
import { appointmentRefusals, calendarFileRefusals, free, seriesRefusals, slot } from './calendar-refusals.ts';
import { resourceRefusals, serviceRefusals, staffRefusals, timeOffRefusals } from './catalog-refusals.ts';
import { authRefusals, clientRefusals, importRefusals, logRefusals, userRefusals } from './own-refusals.ts';
import type { Route, Shot } from './routes.ts';
import { webhookRefusals } from './webhook-refusals.ts';
import type { World } from './world.ts';

/** What a refusal is made with. `aim` makes a request that would succeed. */
export type Kit = {
  world: World;
  tenant: Tenant;
  anyone: Api;
  aim(): Promise<Shot>;
  fire(api: Api, shot: Shot): Promise<Reply>;
};

/** Brings a route to refuse with one code. */
export type Refusal = (kit: Kit, route: Route) => Promise<Reply>;

/** How the registry-driven suites use a resource. `n` makes each body unlike the others. */
export type Fixture = {
  /** What POST of the collection takes. */
  create?: (n: number) => Json;
  /** What PATCH takes: always a change. */
  patch?: (n: number) => Json;
  /** Bodies of its other routes, by `POST /path`. */
  bodies?: Record<string, (n: number, make: (topic: string) => Promise<string>, api: Api) => Json | Promise<Json>>;
  /** Its routes that take a file: the query it needs, and a file that is taken, by `POST /path`. */
  files?: Record<string, { query: string; type: string; text: (n: number) => string }>;
  /** The query that a route of reads cannot do without, by `GET /path`; a suite of its own asks for more. */
  asks?: Record<string, (make: (topic: string) => Promise<string>) => Promise<string>>;
  /** A body with several faults at once and every pointer that must be named, by `POST /path`. */
  invalid?: Record<string, { body: Json; pointers: string[] }>;
  /** How its routes come to refuse where no rule for all says it (`refusals.ts`), by `POST /path code`. */
  refusals?: Record<string, Refusal>;
  /** Queries of its cached lists beside the plain one; details are asked with `fields` by themselves. */
  queries?: string[];
  /** Queries of the lists of what belongs to one of its objects. */
  childQueries?: string[];
  /** Members of the create body that hold the id of another object, by the fixture that makes one. */
  references?: Record<string, string>;
  /** Other members of it, which take more than one object. */
  within?: (api: Api) => Promise<Json>;
  /** The last part of the path of a new one, where that is no public id. */
  place?: (api: Api, make: (topic: string) => Promise<string>) => Promise<string>;
  /** Where one is made, where that is not the collection. */
  at?: (make: (topic: string) => Promise<string>) => Promise<string>;
  /** Its verbs go from state to state, so each needs an object of its own; by `POST /path`, how one comes to stand before it. */
  states?: Record<string, (api: Api, id: string) => Promise<unknown>>;
  /** Makes of a new object what others may refer to. */
  ready?: (api: Api, id: string) => Promise<unknown>;
  /** A change made in SQL as the owner; $1 is the company's uuid, $2 the object's (unused where there is but one). */
  sql?: string;
};

let counter = 0;
/** A number no other body of this process has. */
export const unique = (): number => Date.now() * 1000 + (counter++ % 1000);

const branch = (n: number): Json => ({
  name: `Branch ${n % 7}`,
  timeZone: 'Europe/Vienna',
  openingHours: [{ weekday: 1, start: '09:00', end: '17:00' }],
  holidays: [{ date: '2026-12-25', name: 'Christmas' }],
});

const staffMember = (n: number): Json => ({
  firstName: `Anna ${n % 7}`,
  lastName: n % 3 === 0 ? null : `Müller ${n % 5}`,
  email: `staff-${n}@example.com`,
  workingHours: [{ weekday: 1, start: '09:00', end: '17:00' }],
  color: '#3366cc',
});

const service = (n: number): Json => ({
  name: `Colour ${n % 7}`,
  category: n % 2 === 0 ? 'Hair' : null,
  durationMinutes: 90,
  bufferAfterMinutes: 10,
  processing: [{ afterMinutes: 30, minutes: 30 }],
  requires: ['CHAIR'],
  price: { amount: 9000, currency: 'EUR' },
  taxes: [{ name: 'USt', rateBasisPoints: 2000 }],
});

const euros = (amount: number): Json => ({ amount, currency: 'EUR' });
const invoice = (n: number): Json => ({
  lines: [
    {
      description: `Cut ${n % 7}`,
      unitPrice: euros(1000 + (n % 100_000)),
      taxes: [{ name: 'VAT', rateBasisPoints: 2000 }],
    },
    { description: 'Shampoo', kind: 'PRODUCT', quantity: 2, unitPrice: euros(990), discount: euros(90) },
  ],
  discount: euros(n % 500),
});
const finalized = (api: Api, id: string): Promise<Reply> => api.post(`/invoices/${id}/finalize`);
const noMoney = { amount: 1.5, currency: 'Euro' };
const timeOff = (n: number): Json => ({
  startsAt: new Date(Date.UTC(2027, 0, 1) + (n % 300) * 86_400_000).toISOString(),
  endsAt: '2028-01-01T00:00:00.000Z',
  reason: `Holiday ${n}`,
});
const faultyTimeOff = {
  body: { startsAt: '2027-01-01', endsAt: 5, reason: '', extra: 1 },
  pointers: ['/endsAt', '/extra', '/reason', '/startsAt'],
};

/** ONE place for all resources, by topic: the first part of their paths. A route without a fixture fails the suite. */
export const fixtures: Record<string, Fixture> = {
  realtime: {
    bodies: { 'POST /realtime/tickets': (n) => ({ session: `rts_${n}` }) },
    invalid: { 'POST /realtime/tickets': { body: { session: 7, extra: 1 }, pointers: ['/extra', '/session'] } },
  },
  auth: {
    refusals: authRefusals,
    bodies: {
      'POST /auth/refresh': () => ({ refreshToken: `cpr_${'a'.repeat(43)}` }),
      'POST /auth/password': () => ({ currentPassword: 'nobody has this', newPassword: 'the next password' }),
      'POST /auth/password/forgot': (n) => ({ email: `nobody-${n}@example.com` }),
      'POST /auth/password/reset': () => ({ token: `cpl_${'a'.repeat(43)}`, newPassword: 'the next password' }),
      'POST /auth/signup': (n) => ({
        company: { name: 'Salon', currency: 'EUR', timeZone: 'Europe/Vienna' },
        user: { name: 'Owner', email: `signup-${n}@example.com`, password: 'correct horse battery' },
      }),
    },
    invalid: {
      'POST /auth/signup': {
        body: { company: { name: ' ', currency: 'XXX', timeZone: 'Nowhere/At_All' }, user: { email: 'x', extra: 1 } },
        pointers: [
          '/company/currency',
          '/company/name',
          '/company/timeZone',
          '/user/email',
          '/user/extra',
          '/user/name',
          '/user/password',
        ],
      },
      'POST /auth/login': { body: { email: 1, extra: 1 }, pointers: ['/email', '/extra', '/password'] },
      'POST /auth/refresh': { body: { extra: 1 }, pointers: ['/extra', '/refreshToken'] },
      'POST /auth/password': {
        body: { currentPassword: 1, newPassword: 'short', extra: 1 },
        pointers: ['/currentPassword', '/extra', '/newPassword'],
      },
      'POST /auth/password/forgot': { body: { email: 1, extra: 1 }, pointers: ['/email', '/extra'] },
      'POST /auth/password/reset': {
        body: { newPassword: 'short', extra: 1 },
        pointers: ['/extra', '/newPassword', '/token'],
      },
    },
    sql: 'update users set name = name || $2 where company_id = $1::uuid',
  },
  company: {
    patch: (n) => ({ name: `Salon ${n}` }),
    invalid: {
      'PATCH /company': {
        body: { name: '', timeZone: 'CET+1', currency: 'USD' },
        pointers: ['/currency', '/name', '/timeZone'],
      },
    },
    sql: 'update companies set name = name || $2 where id = $1::uuid',
  },
  users: {
    refusals: userRefusals,
    create: (n) => ({ name: `Person ${n % 7}`, email: `user-${n}@example.com`, role: 'STAFF' }),
    patch: (n) => ({ name: `Person ${n}` }),
    bodies: { 'DELETE /users/:id': (n) => ({ keepKeys: n % 2 === 0 }) },
    invalid: {
      'DELETE /users/:id': { body: { keepKeys: 'yes', extra: 1 }, pointers: ['/extra', '/keepKeys'] },
      'POST /users': {
        body: { name: '', email: 'nobody', role: 'BOSS', password: 'short', extra: 1 },
        pointers: ['/email', '/extra', '/name', '/password', '/role'],
      },
      'PATCH /users/:id': {
        body: { name: null, email: 'nobody', role: 'BOSS', password: 'a new password' },
        pointers: ['/email', '/name', '/password', '/role'],
      },
    },
    queries: ['?role=STAFF&limit=3', '?status=ARCHIVED', '?sort=email&fields=email'],
    sql: 'update users set name = name || $2 where company_id = $1::uuid',
  },
  'api-keys': {
    create: (n) => ({ name: `Key ${n % 7}`, scopes: ['clients:read'] }),
    patch: (n) => ({ name: `Key ${n}` }),
    invalid: {
      'POST /api-keys': {
        body: { name: '', scopes: ['nothing'], expiresAt: '2020-01-01T00:00:00Z', extra: 1 },
        pointers: ['/expiresAt', '/extra', '/name', '/scopes/0'],
      },
      'PATCH /api-keys/:id': { body: { name: 7, scopes: ['admin'] }, pointers: ['/name', '/scopes'] },
    },
    queries: ['?isActive=false', '?limit=3&sort=name', '?fields=name,scopes'],
    sql: 'update api_keys set name = name || $2 where company_id = $1::uuid',
  },
  branches: {
    create: branch,
    patch: (n) => ({ name: `Branch ${n}` }),
    bodies: { 'POST /branches/bulk': (n) => ({ mode: 'atomic', items: [branch(n)] }) },
    invalid: {
      'POST /branches': {
        body: {
          name: '',
          timeZone: 'CET+1',
          phone: '0664',
          extra: true,
          openingHours: [{ weekday: 8, start: '09:00', end: '17:00' }],
        },
        pointers: ['/extra', '/name', '/openingHours/0/weekday', '/phone', '/timeZone'],
      },
      'PATCH /branches/:id': {
        body: { name: null, timeZone: 'nowhere', version: 3 },
        pointers: ['/name', '/timeZone', '/version'],
      },
      'POST /branches/bulk': { body: { mode: 'some', items: [] }, pointers: ['/items', '/mode'] },
    },
    queries: ['?isActive=false', '?limit=3&sort=name', '?fields=name,isActive'],
    sql: 'update branches set name = name || $2 where company_id = $1::uuid',
  },
  staff: {
    refusals: { ...staffRefusals, ...timeOffRefusals('staff') },
    create: staffMember,
    patch: (n) => ({ lastName: `Maier ${n}` }),
    bodies: {
      'POST /staff/bulk': (n) => ({ mode: 'atomic', items: [staffMember(n)] }),
      'POST /staff/:id/time-off': timeOff,
    },
    invalid: {
      'POST /staff/:id/time-off': faultyTimeOff,
      'POST /staff': {
        body: {
          firstName: '',
          email: 'nobody',
          color: 'red',
          branchIds: [1],
          workingHours: [{ weekday: 8, start: '9', end: '17:00' }],
          extra: 1,
        },
        pointers: [
          '/branchIds/0',
          '/color',
          '/email',
          '/extra',
          '/firstName',
          '/workingHours/0/start',
          '/workingHours/0/weekday',
        ],
      },
      'PATCH /staff/:id': {
        body: { isActive: null, serviceIds: 'all', version: 3 },
        pointers: ['/isActive', '/serviceIds', '/version'],
      },
      'POST /staff/bulk': { body: { mode: 'some', items: [] }, pointers: ['/items', '/mode'] },
    },
    queries: ['?isActive=false', '?limit=3&sort=lastName', '?fields=name,branchIds'],
    childQueries: ['?limit=2&sort=startsAt', '?fields=reason&count=none'],
    sql: `update staff set last_name = coalesce(last_name, $$$$) || $2 where company_id = $1::uuid`,
  },
  services: {
    refusals: serviceRefusals,
    create: service,
    patch: (n) => ({ name: `Cut ${n}` }),
    bodies: { 'POST /services/bulk': (n) => ({ mode: 'atomic', items: [service(n)] }) },
    invalid: {
      'POST /services': {
        body: { name: '', durationMinutes: 0, price: { amount: -1, currency: 'XXX' }, requires: [''], extra: 1 },
        pointers: ['/durationMinutes', '/extra', '/name', '/price/amount', '/price/currency', '/requires/0'],
      },
      'PATCH /services/:id': {
        body: { durationMinutes: null, taxes: [{ name: 'USt', rateBasisPoints: 0.5 }], version: 3 },
        pointers: ['/durationMinutes', '/taxes/0/rateBasisPoints', '/version'],
      },
      'POST /services/bulk': { body: { mode: 'some', items: [] }, pointers: ['/items', '/mode'] },
    },
    queries: ['?isActive=false', '?limit=3&sort=name', '?category=Hair'],
    sql: 'update services set name = name || $2 where company_id = $1::uuid',
  },
  resources: {
    refusals: { ...resourceRefusals, ...timeOffRefusals('resources') },
    create: (n) => ({ name: `Chair ${n % 7}`, kind: 'CHAIR' }),
    references: { branchId: 'branches' },
    patch: (n) => ({ name: `Chair ${n}` }),
    bodies: {
      'POST /resources/:id/time-off': timeOff,
      'POST /resources/bulk': async (n, make) => ({
        mode: 'atomic',
        items: [{ name: `Chair ${n % 7}`, kind: 'CHAIR', branchId: await make('branches') }],
      }),
    },
    invalid: {
      'POST /resources/:id/time-off': faultyTimeOff,
      'POST /resources': { body: { name: '', kind: 5, extra: 1 }, pointers: ['/branchId', '/extra', '/kind', '/name'] },
      'PATCH /resources/:id': {
        body: { kind: null, branchId: 5, version: 3 },
        pointers: ['/branchId', '/kind', '/version'],
      },
      'POST /resources/bulk': { body: { mode: 'some', items: [] }, pointers: ['/items', '/mode'] },
    },
    queries: ['?isActive=false', '?limit=3&sort=name', '?kind=CHAIR'],
    childQueries: ['?limit=2&sort=startsAt', '?fields=reason&count=none'],
    sql: 'update resources set name = name || $2 where company_id = $1::uuid',
  },
  availability: {
    refusals: availabilityRefusals,
    asks: {
      'GET /availability': async (make) =>
        `?serviceId=${await make('services')}&branchId=${await make('branches')}&from=2027-03-01&to=2027-03-03`,
    },
  },
  clients: {
    refusals: clientRefusals,
    create: (n) => ({
      firstName: `Anna ${n % 7}`,
      lastName: n % 3 === 0 ? null : `Müller ${n % 5}`,
      email: `client-${n}@example.com`,
      tags: n % 2 === 0 ? ['vip'] : [],
      customFields: { shoe: n % 50 },
    }),
    patch: (n) => ({ notes: `note ${n}` }),
    bodies: {
      'POST /clients/bulk': (n) => ({ mode: 'partial', items: [{ firstName: `Bulk ${n}` }] }),
      'POST /clients/:id/merge': async (_n, make) => ({ sourceId: await make('clients') }),
    },
    invalid: {
      'POST /clients/bulk': { body: { mode: 'some', items: [] }, pointers: ['/items', '/mode'] },
      'POST /clients/:id/merge': { body: { sourceId: 5, extra: 1 }, pointers: ['/extra', '/sourceId'] },
      'POST /clients': {
        body: { firstName: '', email: 'nobody', phone: '0664', tags: [1], extra: true, status: 'ARCHIVED' },
        pointers: ['/email', '/extra', '/firstName', '/phone', '/status', '/tags/0'],
      },
      'PATCH /clients/:id': {
        body: { lastName: 7, email: 'nobody', version: 3, customFields: { a: [] } },
        pointers: ['/customFields/a', '/email', '/lastName', '/version'],
      },
    },
    queries: [
      '?page=2&limit=2',
      '?limit=3&sort=lastName,-createdAt',
      '?fields=name,status&status=ARCHIVED',
      '?status=ACTIVE,INACTIVE&count=none',
      '?sort=updatedAt&order=desc&count=estimated',
      '?tag=vip',
      '?search=anna',
      '?search=client&sort=lastName&count=exact',
      '?include=duplicates,stats&limit=2',
    ],
    sql: 'update clients set notes = coalesce(notes, $$$$) || $2 where company_id = $1::uuid',
  },
  invoices: {
    refusals: invoiceRefusals,
    create: invoice,
    references: { branchId: 'branches' },
    ready: finalized,
    states: { 'POST /invoices/:id/uncollectible': finalized },
    patch: (n) => ({ lines: [{ description: 'Colour', unitPrice: euros(n % 1_000_000) }], discount: null }),
    bodies: {
      'POST /invoices/bulk': async (n, make) => ({
        mode: 'atomic',
        items: [{ ...invoice(n), branchId: await make('branches') }],
      }),
    },
    invalid: {
      'POST /invoices': {
        body: {
          lines: [{ description: '', quantity: 0, unitPrice: noMoney, taxes: [{ name: 'T', rateBasisPoints: -1 }] }],
          extra: 1,
        },
        pointers: [
          '/branchId',
          '/extra',
          '/lines/0/description',
          '/lines/0/quantity',
          '/lines/0/taxes/0/rateBasisPoints',
          '/lines/0/unitPrice/amount',
          '/lines/0/unitPrice/currency',
        ],
      },
      'PATCH /invoices/:id': {
        body: { branchId: null, lines: [], dueDate: '2026-02-30', status: 'PAID' },
        pointers: ['/branchId', '/dueDate', '/lines', '/status'],
      },
      'POST /invoices/bulk': { body: { mode: 'some', items: [] }, pointers: ['/items', '/mode'] },
    },
    queries: [
      '?status=DRAFT,OPEN&limit=3',
      '?paymentStatus=UNPAID&sort=issueDate',
      '?overdue=true',
      '?overdue=false&sort=-dueDate&limit=2',
      '?from=2026-01-01&to=2027-01-01&count=exact',
      '?fields=number,total',
    ],
    sql: 'update invoices set external_id = coalesce(external_id, id::text) || right($2::text, 1) where company_id = $1::uuid',
  },
  payments: {
    refusals: paymentRefusals,
    create: (n) => ({ amount: euros(1 + (n % 100)), method: 'CASH', reference: `Till ${n % 7}` }),
    references: { invoiceId: 'invoices' },
    bodies: { 'POST /payments/:id/refunds': (n) => ({ amount: euros(1), reason: `Reason ${n}` }) },
    invalid: {
      'POST /payments': {
        body: { amount: euros(0), method: 'BARTER', paidAt: 'today', extra: 1 },
        pointers: ['/amount/amount', '/extra', '/invoiceId', '/method', '/paidAt'],
      },
      'POST /payments/:id/refunds': {
        body: { amount: noMoney, extra: 1 },
        pointers: ['/amount/amount', '/amount/currency', '/extra'],
      },
    },
    queries: ['?status=SUCCEEDED&sort=paidAt', '?from=2026-01-01&limit=2', '?fields=amount,method'],
    sql: `update payments set reference = coalesce(reference, '') || right($2::text, 1) where company_id = $1::uuid`,
  },
  refunds: {
    create: () => ({ amount: euros(1) }),
    at: async (make) => `/payments/${await make('payments')}/refunds`,
    queries: ['?status=SUCCEEDED', '?to=2027-01-01&limit=2', '?fields=amount,paymentId'],
    sql: `update refunds set reason = coalesce(reason, '') || right($2::text, 1) where company_id = $1::uuid`,
  },
  appointments: {
    refusals: appointmentRefusals,
    create: (n) => ({ notes: n % 2 === 0 ? `note ${n}` : null }),
    references: { clientId: 'clients' },
    within: slot,
    patch: (n) => ({ notes: `note ${n}` }),
    bodies: {
      'POST /appointments/bulk': async (_n, _make, api) => ({ mode: 'atomic', items: [await slot(api)] }),
      'POST /appointments/:id/status': (n) => ({ status: 'CONFIRMED', reason: `reason ${n}` }),
      'POST /appointments/:id/reschedule': () => ({ startsAt: free() }),
    },
    invalid: {
      'POST /appointments': {
        body: { branchId: 1, services: [], startsAt: 'soon', status: 'DONE', resources: [{}], extra: 1 },
        pointers: ['/branchId', '/extra', '/resources/0/kind', '/services', '/startsAt', '/status'],
      },
      'PATCH /appointments/:id': {
        body: { clientId: 5, notes: 7, status: 'CONFIRMED', version: 3 },
        pointers: ['/clientId', '/notes', '/status', '/version'],
      },
      'POST /appointments/bulk': { body: { mode: 'some', items: [] }, pointers: ['/items', '/mode'] },
      'POST /appointments/:id/status': {
        body: { status: 'DONE', reason: 5, extra: 1 },
        pointers: ['/extra', '/reason', '/status'],
      },
      'POST /appointments/:id/reschedule': {
        body: { localStart: '9:00', timeZone: 'CET+1', fold: 'NEVER', staffId: 5, extra: 1 },
        pointers: ['/extra', '/fold', '/localStart', '/staffId', '/timeZone'],
      },
    },
    queries: [
      '?status=PENDING,CANCELLED&limit=3',
      '?date=2031-01-02',
      '?from=2031-01-01&to=2031-02-01&sort=-startsAt&fields=startsAt,status',
    ],
    sql: 'update appointments set notes = coalesce(notes, $$$$) || $2 where company_id = $1::uuid',
  },
  'appointments/series': {
    refusals: seriesRefusals,
    // Its second occurrence is ten years behind the first, where no other test books.
    create: (n) => ({ rrule: 'FREQ=YEARLY;INTERVAL=10;COUNT=2', notes: `note ${n}` }),
    references: { clientId: 'clients' },
    within: slot,
    patch: (n) => ({ scope: 'ALL', notes: `note ${n}` }),
    invalid: {
      'POST /appointments/series': {
        body: { branchId: 1, services: [], startsAt: 'soon', rrule: '', onConflict: 'ASK', dryRun: 1, extra: 1 },
        pointers: ['/branchId', '/dryRun', '/extra', '/onConflict', '/rrule', '/services', '/startsAt'],
      },
      'PATCH /appointments/series/:id': {
        body: { scope: 'SOME', localStart: '9:00', services: [], status: 'DONE', version: 3 },
        pointers: ['/localStart', '/scope', '/services', '/status', '/version'],
      },
    },
    queries: ['?limit=2&sort=-createdAt', '?fields=rrule,localStart'],
    sql: 'update series set notes = coalesce(notes, $$$$) || $2 where company_id = $1::uuid',
  },
  holds: {
    refusals: appointmentRefusals,
    create: () => ({}),
    references: { clientId: 'clients' },
    within: slot,
    // Released, it is gone.
    states: {},
    invalid: {
      'POST /holds': {
        body: { branchId: 1, services: [], startsAt: 'soon', extra: 1 },
        pointers: ['/branchId', '/extra', '/services', '/startsAt'],
      },
    },
    sql: `update holds set purpose = purpose || $2 where company_id = $1::uuid`,
  },
  calendars: {
    refusals: calendarFileRefusals,
    place: async (api, make) => {
      const { json } = await api.post(`/staff/${await make('staff')}/calendar`);
      return String(json.url).replace(/.*\//, '');
    },
  },
  imports: {
    refusals: importRefusals,
    files: {
      'POST /imports': {
        query: '?resource=clients',
        type: 'text/csv',
        text: (n) => `externalId,firstName,customFields.shoe\nimport-${n % 50},Anna ${n % 7},${n % 9}\n,Nobody,1\n`,
      },
    },
  },
  webhooks: {
    refusals: webhookRefusals,
    // Of what never happens: whoever counts what others do meets no deliveries.
    create: (n) => ({ url: `http://127.0.0.1:9/${n}`, types: ['webhook.deleted'], description: `Hook ${n % 7}` }),
    patch: (n) => ({ description: `Hook ${n}` }),
    bodies: { 'POST /webhooks/:id/replay': (n) => ({ after: n % 3 }) },
    invalid: {
      'POST /webhooks': {
        body: { url: 'ftp://example.com', types: ['nothing.happened'], description: 7, extra: 1 },
        pointers: ['/description', '/extra', '/types/0', '/url'],
      },
      'PATCH /webhooks/:id': {
        body: { url: 'https://10.0.0.1/', types: [], isActive: false },
        pointers: ['/isActive', '/types', '/url'],
      },
      'POST /webhooks/:id/replay': { body: { after: -1, extra: 1 }, pointers: ['/after', '/extra'] },
    },
    queries: ['?isActive=false', '?limit=3&sort=-updatedAt', '?fields=url,isActive'],
    sql: `update webhooks set description = coalesce(description, $$$$) || $2 where company_id = $1::uuid`,
  },
  events: { refusals: logRefusals },
  audit: { refusals: logRefusals },
  health: {},
};
