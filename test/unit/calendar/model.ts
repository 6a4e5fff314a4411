/** What the calendar's rules mean, minute by minute and by trying: slow, and written without any of their code. */
import { Temporal } from 'temporal-polyfill';
import type { Resource, Service, StaffMember } from '../../../src/calendar/catalogue.ts';
import type { Hours } from '../../../src/calendar/working-time.ts';
import type { World } from './worlds.ts';

/** A minute as the wall clock shows it. */
type Wall = { minute: number; date: string; weekday: number; time: string };

const walls = new Map<string, Wall[]>();
function kept(key: string, make: () => Wall[]): Wall[] {
  const wall = walls.get(key) ?? make();
  walls.set(key, wall);
  return wall;
}

const next = (date: string): string => Temporal.PlainDate.from(date).add({ days: 1 }).toString();

/** All minutes of a day, as Temporal tells them. */
function dayOf(timeZone: string, date: string): Wall[] {
  const midnight = Temporal.PlainDate.from(date).toZonedDateTime(timeZone);
  const end = midnight.add({ days: 1 }).epochMilliseconds;
  const wall: Wall[] = [];
  for (let at = midnight; at.epochMilliseconds < end; at = at.add({ minutes: 1 })) {
    const minute = at.epochMilliseconds / 60_000;
    wall.push({ minute, date, weekday: at.dayOfWeek, time: at.toPlainTime().toString().slice(0, 5) });
  }
  return wall;
}

/** All minutes from one day to another, both included. */
function wallOf(timeZone: string, from: string, to: string): Wall[] {
  const wall: Wall[] = [];
  for (let date = from; date <= to; date = next(date)) {
    wall.push(...kept(`${timeZone} ${date}`, () => dayOf(timeZone, date)));
  }
  return wall;
}

const lies = (intervals: readonly number[] | undefined, minute: number): boolean => {
  for (let i = 0; i < (intervals?.length ?? 0); i += 2) {
    if (minute >= Number(intervals?.[i]) && minute < Number(intervals?.[i + 1])) return true;
  }
  return false;
};

export class Model {
  readonly world: World;
  readonly wall: Wall[];
  readonly first: number;
  readonly today: Temporal.PlainDate;
  readonly needs: [kind: string, needed: number][];

  constructor(world: World) {
    this.world = world;
    // Visits begin within the range and last less than a day.
    const { from, to, branch, now } = world;
    this.wall = kept(`${branch.timeZone} ${from} ${to}`, () => wallOf(branch.timeZone, from, to));
    this.today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(branch.timeZone).toPlainDate();
    this.needs = [...new Set(world.services.flatMap(({ requires }) => requires))].map((kind) => [
      kind,
      Math.max(...world.services.map(({ requires }) => requires.filter((each) => each === kind).length)),
    ]);
    this.first = Number(this.wall[0]?.minute);
  }

  private within(hours: Hours, at: Wall): boolean {
    if (hours.weekday !== at.weekday || at.time < hours.start || at.time >= hours.end) return false;
    if ((hours.validFrom ?? '') > at.date || at.date > (hours.validTo ?? '9999')) return false;
    return !this.world.branch.holidays.some(({ date }) => date === at.date);
  }

  /** The hours that count, each day of those of a branch that is always open being one. */
  private hoursOf(own: readonly Hours[]): Hours[] {
    const { branch } = this.world;
    if (own.length > 0) return own.filter((each) => [undefined, null, branch.id].includes(each.branchId));
    if (branch.openingHours.length > 0) return [...branch.openingHours];
    return [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, start: '00:00', end: '24:00' }));
  }

  private present = new Map<string, boolean[]>();

  /** For each minute: inside hours and not away. */
  private presence(who: StaffMember | Resource): boolean[] {
    const known = this.present.get(who.id);
    if (known !== undefined) return known;
    const hours = this.hoursOf(who.workingHours);
    const off = this.world.timeOff.get(who.id);
    const made = this.wall.map((at) => hours.some((each) => this.within(each, at)) && !lies(off, at.minute));
    this.present.set(who.id, made);
    return made;
  }

  private isPresent(who: StaffMember | Resource, from: number, to: number): boolean {
    const presence = this.presence(who);
    for (let minute = from; minute < to; minute += 1) if (presence[minute - this.first] !== true) return false;
    return true;
  }

  /** A resource without hours has only time off. */
  private isInUse(resource: Resource, from: number, to: number): boolean {
    if (resource.workingHours.length > 0) return this.isPresent(resource, from, to);
    const off = this.world.timeOff.get(resource.id);
    for (let minute = from; minute < to; minute += 1) if (lies(off, minute)) return false;
    return true;
  }

  private taken = new Map<string, Uint8Array>();

  /** Whether nothing of theirs lies in these minutes, which may begin two hours before the range. */
  private isFree(id: string, from: number, to: number): boolean {
    const origin = this.first - 120;
    let taken = this.taken.get(id);
    if (taken === undefined) {
      taken = new Uint8Array(this.wall.length + 240);
      const busy = this.world.busy.get(id) ?? [];
      for (let i = 0; i < busy.length; i += 2) {
        taken.fill(1, Math.max(0, Number(busy[i]) - origin), Math.max(0, Number(busy[i + 1]) - origin));
      }
      this.taken.set(id, taken);
    }
    for (let minute = from; minute < to; minute += 1) if (taken[minute - origin] === 1) return false;
    return true;
  }

  works(member: StaffMember, services: readonly Service[]): boolean {
    if (!member.isActive || !member.branchIds.some((id) => id === this.world.branch.id)) return false;
    return services.every(
      (service) =>
        member.serviceIds.some((id) => id === service.id) || service.staff.some((each) => each.staffId === member.id),
    );
  }

  /** Whether the services can be booked from this minute on, each with its staff member. */
  bookable(start: number, lines: readonly { service: Service; member: StaffMember }[]): boolean {
    let at = start;
    let before = start;
    let after = start;
    for (const [i, { service, member }] of lines.entries()) {
      const terms = service.staff.find((each) => each.staffId === member.id);
      const duration = terms?.durationMinutes ?? service.durationMinutes;
      if (!this.isPresent(member, at, at + duration)) return false;
      for (let minute = 0; minute < duration; minute += 1) {
        const develops = service.processing.some(
          (each) => minute >= each.afterMinutes && minute < each.afterMinutes + each.minutes,
        );
        if (!develops && !this.isFree(member.id, at + minute, at + minute + 1)) return false;
      }
      const isFirst = lines.slice(0, i).every((each) => each.member.id !== member.id);
      const isLast = lines.slice(i + 1).every((each) => each.member.id !== member.id);
      if (isFirst && !this.isFree(member.id, at - service.bufferBeforeMinutes, at)) return false;
      if (i === 0) before = at - service.bufferBeforeMinutes;
      at += duration;
      if (isLast && !this.isFree(member.id, at, at + service.bufferAfterMinutes)) return false;
      after = at + service.bufferAfterMinutes;
    }
    return this.needs.every(([kind, needed]) => {
      const free = this.world.resources.filter(
        (each) =>
          each.kind === kind &&
          each.isActive &&
          each.branchId === this.world.branch.id &&
          this.isInUse(each, start, at) &&
          this.isFree(each.id, before, after),
      );
      return free.length >= needed;
    });
  }

  /** Every step of the range: counted from where the wall clock enters an interval of the hours. */
  grid(member: StaffMember): number[] {
    const steps: number[] = [];
    for (const interval of this.hoursOf(member.workingHours)) {
      let opened: number | null = null;
      let date = '';
      for (const at of this.wall) {
        if (at.date >= this.world.to) break;
        if (!this.within(interval, at)) opened = null;
        else if (opened === null || at.date !== date) opened = at.minute;
        if (opened !== null && (at.minute - opened) % this.world.stepMinutes === 0) steps.push(at.minute);
        date = at.date;
      }
    }
    return steps.sort((a, b) => a - b);
  }

  /** Whether the services are offered for this minute by now. */
  offered(start: number): boolean {
    const { services, now } = this.world;
    const date = this.wall[start - this.first]?.date ?? '';
    return services.every(
      ({ leadTimeMinutes, horizonDays }) =>
        (leadTimeMinutes === null || start * 60_000 >= now + leadTimeMinutes * 60_000) &&
        (horizonDays === null || date <= this.today.add({ days: horizonDays }).toString()),
    );
  }
}
