import type { Begin } from './abuses.ts';
import type { Tenant } from './api.ts';
import { openSalon } from './calendar-refusals.ts';
import { openCompany, type Place } from './company.ts';
import { addFatClients } from './fat.ts';
import { flood, unread } from './flood.ts';

/** Asked past every cache. */
const fresh = { 'Cache-Control': 'no-cache' };

/**
 * To read as much, as heavily and as slowly as one may; each by a company of its own, so that none of them is refused for what another
 * has used.
 * @param busy a company with thousands of clients and appointments
 */
export async function waysToRead(of: Place, busy: Tenant): Promise<Record<string, Begin>> {
  const { url } = of.api;
  const company = async () => {
    const own = await openCompany(of);
    return { ...own, headers: bearer(own) };
  };
  const [slow, heavy, fat] = [await company(), await company(), await company()];
  const [open, planner] = [await company(), await company()];
  for (const { companyId } of [slow, heavy]) await addFatClients(of, companyId, 120);
  await addFatClients(of, fat.companyId, 40);
  const [{ branchId, serviceId }, salon] = [await openSalon(open.api), await openSalon(planner.api)];
  const day = (n: number): string => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);
  const series = {
    ...{ branchId: salon.branchId, staffId: salon.staffId, services: [{ serviceId: salon.serviceId }] },
    ...{ localStart: `${day(1)}T10:00`, rrule: 'FREQ=DAILY;COUNT=366', dryRun: true },
  };
  const get =
    (loops: number, path: string, headers: Record<string, string>): Begin =>
    () =>
      flood({ url, loops, method: 'GET', path, headers: { ...headers, ...fresh } });
  const year = `from=${day(-364)}&to=${day(0)}`;
  return {
    'pages of 10 MB that nobody reads, 40 connections': () =>
      unread({ url, loops: 40, method: 'GET', path: '/clients?limit=100', headers: slow.headers }),
    'pages of 10 MB, 6 loops': get(6, '/clients?limit=100', heavy.headers),
    'exports of 12 MB, 2 loops': get(2, '/clients/export?format=ndjson', heavy.headers),
    'pages of 4 MB, 8 loops': get(8, '/clients?limit=100', fat.headers),
    'free times of a month, 24 loops': get(
      24,
      `/availability?branchId=${branchId}&serviceId=${serviceId}&from=${day(1)}&to=${day(32)}&stepMinutes=5`,
      open.headers,
    ),
    'series of 366 as dry runs, 8 loops': () =>
      flood({
        ...{ url, loops: 8, method: 'POST', path: '/appointments/series' },
        headers: { ...planner.headers, 'Content-Type': 'application/json' },
        bodies: [JSON.stringify(series)],
      }),
    'searches among many, 24 loops': get(24, '/clients?search=jon%20smih', bearer(busy)),
    'figures of a year, 24 loops': get(24, `/analytics/appointments?${year}&groupBy=staff`, bearer(busy)),
  };
}

const bearer = ({ api }: Tenant) => ({ Authorization: `Bearer ${api.token}` });
