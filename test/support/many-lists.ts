import { everyRoute } from '../../src/app.ts';
import { formatId, type Prefix } from '../../src/core/id.ts';
import type { FilterDeclaration } from '../../src/core/list-query.ts';
import { resources } from '../../src/registry.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { fixedId } from './many-rows.ts';

// Every list of a company with many rows (many-rows.ts): in each of its orders, and with each of its filters.

const id = (prefix: Prefix, kind: string, n: number): string => formatId(prefix, fixedId(kind, n));
const branch = (n: number): string => id('brch', 'b0b0', n);
const staff = (n: number): string => id('stf', '50f0', n);
const client = (n: number): string => id('clnt', 'c1c1', n);

/** Tables behind the lists, in the order in which they are filled. */
export const FILLED = [
  ...[
    'clients',
    'client_tags',
    'branches',
    'users',
    'api_keys',
    'imports',
    'staff',
    'staff_branches',
    'services',
    'offers',
  ],
  ...[
    'resources',
    'time_off',
    'appointments',
    'appointment_parts',
    'appointment_staff',
    'series',
    'invoices',
    'payments',
    'refunds',
    'webhooks',
    'alerts',
  ],
  'changes',
];

/** A resource's time off is read as a staff member's is, by twins of its indexes. */
const TWINS = ['/resources/:id/time-off'];

const declared = everyRoute().flatMap(({ path, list }) =>
  list === undefined || TWINS.includes(path) ? [] : [{ path, list }],
);

/** Resources of whose rows and filters nothing is told here: both follow from their columns (plain-rows.ts). */
export const PLAIN: readonly Resource[] = resources.filter(
  ({ topic, tableName }) => declared.some(({ path }) => path === `/${topic}`) && !FILLED.includes(tableName),
);

/** What a filter is asked for by a list of which nothing more is known. */
function valuesOf({ kind, values = [], prefix = 'brch' }: FilterDeclaration): string[] {
  if (kind === 'boolean') return ['true', 'false'];
  if (kind === 'enum' || kind === 'enumList') return [...values];
  if (kind === 'text') return ['rare', 'hundredth', 'C1', 'absent'];
  const fixed = { brch: branch, stf: staff, clnt: client }[String(prefix)] ?? ((n) => id(prefix, '0000', n));
  return [0, 1, 2, 3].map(fixed);
}

/** The paths of all lists, each with its sorts. */
export const SORTS: readonly [path: string, sorts: readonly string[]][] = declared.map(({ path, list }) => [
  path.replace(':id', staff(0)),
  list.sorts,
]);

/** A moment that so much of the company's rows were made before. */
export const late = (own: number, share: number): string =>
  new Date(Date.UTC(2025, 0, 1) + own * share * 600_000).toISOString();

/** Each filter alone and beside another sort; those that few rows or most rows have, and none. */
export function filtered(own: number): string[] {
  const at = (share: number): string => late(own, share);
  const day = (share: number): string => at(share).slice(0, 10);
  const documents = (path: string, sort: string): string[] => [
    `${path}?createdAfter=${at(0.9995)}`,
    `${path}?createdAfter=${at(0.1)}&createdBefore=${at(0.5)}&sort=-${sort}`,
    `${path}?createdBefore=${at(0.0005)}&sort=${sort}`,
    `${path}?updatedAfter=${at(1.098)}`,
    `${path}?updatedAfter=${at(0.5)}&sort=${sort}`,
    `${path}?externalId=X1100`,
  ];
  const places = (path: string, sort: string): string[] =>
    [0, 1, 2, 3].flatMap((n) => [`${path}?branchId=${branch(n)}`, `${path}?branchId=${branch(n)}&sort=${sort}`]);
  const people = (path: string, sort: string): string[] =>
    [17, 9999, 8888].flatMap((n) => [`${path}?clientId=${client(n)}`, `${path}?clientId=${client(n)}&sort=${sort}`]);
  const days = (path: string, sort: string): string[] => [
    `${path}?from=${day(0.5)}&to=${day(0.51)}`,
    `${path}?from=${day(0.2)}&to=${day(0.7)}`,
    `${path}?from=${day(0.999)}&sort=${sort}`,
    `${path}?to=${day(0.002)}&sort=-${sort}`,
  ];
  const plain = ({ topic, list: { filters, sorts } }: Resource): string[] => {
    const sort = sorts.at(-1) ?? '';
    const own = Object.entries(filters).filter(([, { kind }]) => kind !== 'instant' && kind !== 'date');
    return [
      ...documents(`/${topic}`, sort),
      ...own.flatMap(([name, filter]) =>
        valuesOf(filter).flatMap((value) => [`/${topic}?${name}=${value}`, `/${topic}?${name}=${value}&sort=-${sort}`]),
      ),
      ...(Object.hasOwn(filters, 'from') ? days(`/${topic}`, sort) : []),
    ];
  };
  return [
    ...PLAIN.flatMap(plain),
    ...['ACTIVE', 'ARCHIVED', 'INACTIVE', 'ACTIVE,ARCHIVED', 'ACTIVE,INACTIVE,ARCHIVED'].flatMap((status) => [
      `/clients?status=${status}`,
      `/clients?status=${status}&sort=-lastName`,
    ]),
    ...['half', 'rare', 'hundredth', 'older', 'elsewhere', 'nobody'].flatMap((tag) => [
      `/clients?tag=${tag}`,
      `/clients?tag=${tag}&sort=-updatedAt`,
      `/clients?tag=${tag}&sort=-lastName`,
      `/clients?tag=${tag}&status=ARCHIVED&sort=firstName`,
      `/clients?tag=${tag}&createdBefore=${at(0.1)}&sort=name`,
    ]),
    `/clients?tag=half&externalId=X1100`,
    ...documents('/clients', 'lastName'),
    `/clients?createdAfter=${at(0.97)}&sort=updatedAt`,
    `/clients?createdAfter=${at(0.9)}&sort=lastName`,
    `/clients?updatedAfter=${at(1.098)}&sort=updatedAt`,
    '/clients?externalId=X1100&sort=-lastName',
    '/clients?externalId=absent',
    ...['branches', 'api-keys', 'staff', 'services', 'resources', 'webhooks', 'alerts'].flatMap((topic) => {
      const sort = ['webhooks', 'alerts'].includes(topic) ? 'updatedAt' : 'name';
      return [`/${topic}?isActive=false`, `/${topic}?isActive=false&sort=-${sort}`, ...documents(`/${topic}`, sort)];
    }),
    ...['STAFF', 'ADMIN', 'OWNER'].flatMap((role) => [`/users?role=${role}`, `/users?role=${role}&sort=email`]),
    '/users?status=ARCHIVED',
    '/users?status=ACTIVE,ARCHIVED&sort=-email',
    ...documents('/users', 'name'),
    ...places('/staff', 'lastName'),
    ...[0, 1, 2, 3].flatMap((n) => [
      `/staff?serviceId=${id('svc', '5e50', n)}`,
      `/staff?serviceId=${id('svc', '5e50', n)}&sort=-lastName`,
      `/services?staffId=${staff(n)}&sort=name`,
    ]),
    `/staff?userId=${id('usr', '0000', 1)}&sort=lastName`,
    ...['rare', 'hundredth', 'C1', 'absent'].flatMap((name) => [
      `/services?category=${name}`,
      `/services?category=${name}&sort=-name`,
    ]),
    ...['rare', 'hundredth', 'K1', 'absent'].flatMap((name) => [
      `/resources?kind=${name}`,
      `/resources?kind=${name}&sort=-name`,
    ]),
    ...places('/resources', 'name'),
    ...documents(`/staff/${staff(0)}/time-off`, 'startsAt'),
    ...['CANCELLED', 'NO_SHOW,PENDING', 'CHECKED_IN'].flatMap((status) => [
      `/appointments?status=${status}`,
      `/appointments?status=${status}&sort=startsAt`,
    ]),
    ...places('/appointments', 'startsAt'),
    ...people('/appointments', 'startsAt'),
    ...days('/appointments', 'startsAt'),
    ...documents('/appointments', 'startsAt'),
    ...[0, 1, 2, 3].flatMap((n) => [
      `/appointments?staffId=${staff(n)}`,
      `/appointments?staffId=${staff(n)}&sort=startsAt`,
      `/appointments?staffId=${staff(n)}&date=${day(0.5)}&sort=startsAt`,
    ]),
    `/appointments?branchId=${branch(0)}&date=${day(0.5)}&sort=startsAt`,
    `/appointments?branchId=${branch(2)}&from=${day(0.1)}&to=${day(0.9)}&sort=startsAt`,
    `/appointments?seriesId=${id('ser', '5e70', 1)}`,
    `/appointments?seriesId=${id('ser', '5e70', 1)}&sort=startsAt`,
    ...people('/appointments/series', 'updatedAt'),
    ...documents('/appointments/series', 'updatedAt'),
    ...['DRAFT', 'OPEN,UNCOLLECTIBLE', 'PAID'].flatMap((status) => [
      `/invoices?status=${status}`,
      `/invoices?status=${status}&sort=-dueDate`,
    ]),
    ...['UNPAID', 'PARTIALLY_PAID', 'PARTIALLY_REFUNDED', 'REFUNDED', 'PAID'].flatMap((status) => [
      `/invoices?paymentStatus=${status}`,
      `/invoices?paymentStatus=${status}&sort=dueDate`,
    ]),
    ...['true', 'false'].flatMap((value) => [`/invoices?overdue=${value}`, `/invoices?overdue=${value}&sort=dueDate`]),
    `/invoices?overdue=true&clientId=${client(17)}`,
    '/invoices?number=I1100',
    '/invoices?number=absent&sort=dueDate',
    ...['invoices', 'payments', 'refunds'].flatMap((topic) => {
      const sort = { invoices: 'issueDate', payments: 'paidAt', refunds: 'updatedAt' }[topic] ?? '';
      return [
        ...places(`/${topic}`, sort),
        ...(topic === 'refunds' ? [] : people(`/${topic}`, sort)),
        ...days(`/${topic}`, sort),
        ...documents(`/${topic}`, sort),
      ];
    }),
    `/payments?invoiceId=${id('inv', '1d00', 1000)}`,
    `/payments?invoiceId=${id('inv', '1d00', 1000)}&sort=-paidAt`,
    `/refunds?paymentId=${id('pay', '9a00', 1000)}`,
    `/refunds?paymentId=${id('pay', '9a00', 1000)}&sort=updatedAt`,
    ...['payments', 'refunds'].flatMap((topic) =>
      ['FAILED', 'PENDING', 'CANCELLED', 'FAILED,SUCCEEDED'].map((status) => `/${topic}?status=${status}`),
    ),
    '/payments?status=PENDING&sort=paidAt',
    ...['FAILED', 'RUNNING', 'FAILED,COMPLETED'].flatMap((status) => [
      `/imports?status=${status}`,
      `/imports?status=${status}&sort=-finishedAt`,
    ]),
    '/imports?dryRun=true&resource=clients&sort=-finishedAt',
    `/imports?createdBefore=${at(0.5)}`,
    `/imports?createdAfter=${at(0.9995)}&sort=finishedAt`,
  ];
}

/** The filters of lists that none of these paths asks for. */
export function unasked(paths: readonly string[]): string[] {
  const asked = paths.map((path) => new URL(path, 'http://x'));
  return declared.flatMap(({ path, list }) =>
    Object.keys(list.filters).flatMap((name) => {
      const own = path.replace(':id', staff(0));
      return asked.some((url) => url.pathname === own && url.searchParams.has(name)) ? [] : [`${path}?${name}`];
    }),
  );
}
