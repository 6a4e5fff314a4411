import type { Row } from '../../../src/data/log.ts';
import { registry } from '../../../src/registry.ts';
import type { Json } from '../../support/api.ts';
import type { Entity } from './list-rows.ts';

/** Rows by id, of one revision. */
export type Rows = Readonly<Record<Entity, ReadonlyMap<string, Row>>>;

/** What each role may list, as contract-details B has it. */
const MAY: Record<string, readonly string[]> = {
  OWNER: ['clients', 'appointments', 'staff', 'payments', 'users'],
  MANAGER: ['clients', 'appointments', 'staff', 'payments'],
  STAFF: ['clients', 'appointments', 'staff'],
  READONLY: ['clients', 'appointments', 'staff'],
};

const ENTITY_OF: Record<string, Entity> = {
  clients: 'client',
  appointments: 'appointment',
  staff: 'time-off',
  payments: 'payment',
  users: 'user',
};

const stepsOf = (path: string): string[] => (path.split('?')[0] ?? '').replace('/api/v1', '').split('/').slice(1);
const topicOf = (path: string): string => stepsOf(path)[0] ?? '';

export const mayList = (role: string, path: string): boolean => MAY[role]?.includes(topicOf(path)) === true;

const views = new WeakMap<Row, Json>();
/** The object of a row: made once, as what is compared is told of it many times. */
function objectOf(entity: Entity, row: Row): Json {
  const known = views.get(row);
  if (known !== undefined) return known;
  const view = registry.get(entity)?.view(row, 1) ?? {};
  views.set(row, view);
  return view;
}

/** What is hidden unless it is asked for. */
const LIVING: Partial<Record<Entity, readonly string[]>> = {
  client: ['ACTIVE', 'INACTIVE'],
  appointment: ['PENDING', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS', 'COMPLETED', 'NO_SHOW'],
  user: ['ACTIVE'],
};

const time = (value: unknown): number => new Date(String(value)).getTime();

/** Whether an object is what a parameter asks for: told of the public object alone, and of nothing that answers GET. */
function fits(object: Json, name: string, value: string, entity: Entity): boolean {
  const day = entity === 'appointment' ? String(object.localStart).slice(0, 10) : String(object.businessDate);
  switch (name) {
    case 'status':
    case 'role':
      return value.split(',').includes(String(object[name]));
    case 'tag':
      return (object.tags as string[]).includes(value);
    case 'date':
      return day === value;
    case 'from':
      return day >= value;
    case 'to':
      return day < value;
    case 'staffId':
      return (object.services as Json[]).some((part) => part.staffId === value);
    case 'createdAfter':
      return time(object.createdAt) > time(value);
    case 'createdBefore':
      return time(object.createdAt) < time(value);
    case 'updatedAfter':
      return time(object.updatedAt) > time(value);
    case 'search':
      return (
        String(object.name ?? '')
          .toLowerCase()
          .includes(value) && object.status !== 'ARCHIVED'
      );
    default:
      return object[name] === value;
  }
}

const SHAPES = new Set(['sort', 'limit', 'fields', 'include']);

/** The rows that a list has, of all that there are, in any order. */
export function matching(path: string, rows: Rows): [string, Json][] {
  const entity = ENTITY_OF[topicOf(path)] as Entity;
  const asked = [...new URLSearchParams(path.split('?')[1] ?? '')].filter(([name]) => !SHAPES.has(name));
  const hidden = asked.some(([name]) => name === 'status') ? undefined : LIVING[entity];
  const parent = stepsOf(path)[1];
  return [...rows[entity]].flatMap(([id, row]): [string, Json][] => {
    const object = objectOf(entity, row);
    if (parent !== undefined && object.staffId !== parent) return [];
    if (hidden !== undefined && !hidden.includes(String(object.status))) return [];
    return asked.every(([name, value]) => fits(object, name, value, entity)) ? [[id, object]] : [];
  });
}

/** `data` of what GET answers. */
export function answered(path: string, rows: Rows): Json[] {
  const params = new URLSearchParams(path.split('?')[1] ?? '');
  const keys = (params.get('sort') ?? '-createdAt').split(',');
  const order = [...keys, keys.at(-1)?.startsWith('-') === true ? '-id' : 'id'];
  const found = matching(path, rows).map(([, object]) => object);
  found.sort((a, b) => {
    for (const key of order) {
      const name = key.replace('-', '');
      const [one, other] = [a[name] ?? null, b[name] ?? null];
      if (one === other) continue;
      if (one === null || other === null) return one === null ? 1 : -1;
      const way = compare(String(one), String(other));
      return key.startsWith('-') ? -way : way;
    }
    return 0;
  });
  const fields = params.get('fields')?.split(',');
  return found.slice(0, Number(params.get('limit') ?? 20)).map((object) => {
    const whole = params.has('include') ? { ...object, stats: statsOf(object, rows) } : object;
    if (fields === undefined) return whole;
    return Object.fromEntries(Object.entries(whole).filter(([name]) => name === 'id' || fields.includes(name)));
  });
}

/** Something that rests on what others are. */
const statsOf = ({ id }: Json, rows: Rows): Json => ({
  visits: [...rows.appointment.values()].filter((row) => objectOf('appointment', row).clientId === id).length,
  spent: [...rows.payment.values()].filter((row) => objectOf('payment', row).clientId === id).length,
});

/** By code points. */
function compare(one: string, other: string): number {
  const [a, b] = [[...one], [...other]];
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const way = (a[i]?.codePointAt(0) ?? 0) - (b[i]?.codePointAt(0) ?? 0);
    if (way !== 0) return way;
  }
  return a.length - b.length;
}
