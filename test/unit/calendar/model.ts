/** What the calendar's rules mean, minute by minute and by trying: written without any of their code. */
import { Temporal } from 'temporal-polyfill';
import type { Resource, Service, StaffMember } from '../../../src/calendar/catalogue.ts';
import type { Hours } from '../../../src/calendar/working-time.ts';
import { type Wall, wallOf } from './wall.ts';
import type { World } from './worlds.ts';

const lies = (intervals: readonly number[] | undefined, minute: number): boolean => {
  for (let i = 0; i < (intervals?.length ?? 0); i += 2) {
    if (minute >= Number(intervals?.[i]) && minute < Number(intervals?.[i + 1])) return true;
  }
  return false;
};

const minuteOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

/** How many of the minutes before each are marked, so that whether any of a stretch is takes one look. */
function counted(length: number, isMarked: (i: number) => boolean): Uint32Array {
  const counts = new Uint32Array(length + 1);
  for (let i = 0; i < length; i += 1) counts[i + 1] = Number(counts[i]) + (isMarked(i) ? 1 : 0);
  return counts;
}
/** What lies outside is not marked. */
function countWithin(counts: Uint32Array, from: number, to: number): number {
  const at = (i: number): number => counts[Math.min(Math.max(i, 0), counts.length - 1)] ?? 0;
  return at(to) - at(from);
}

export class Model {
  readonly world: World;
  readonly wall: Wall;
  readonly first: number;
  readonly needs: [kind: string, needed: number][];

  /** @param like of the same calendar: another question to it */
  constructor(world: World, like?: Model) {
    this.world = world;
    // Visits begin within the range and last less than a day.
    const { from, to, branch } = world;
    this.wall = wallOf(branch.timeZone, from, to);
    this.needs = [...new Set(world.services.flatMap(({ requires }) => requires))].map((kind) => [
      kind,
      Math.max(...world.services.map(({ requires }) => requires.filter((each) => each === kind).length)),
    ]);
    this.first = this.wall.first;
    if (like === undefined) return;
    [this.present, this.used, this.taken, this.opened] = [like.present, like.used, like.taken, like.opened];
  }

  private present = new Map<string, Uint32Array>();
  private used = new Map<string, Uint32Array>();
  private taken = new Map<string, Uint32Array>();

  /** For each minute whether it lies inside one interval of hours. */
  private within(hours: Hours): (i: number) => boolean {
    const { dates, weekdays, date, time } = this.wall;
    const [start, end] = [minuteOf(hours.start), minuteOf(hours.end)];
    const counts = dates.map(
      (each, n) =>
        weekdays[n] === hours.weekday &&
        (hours.validFrom ?? '') <= each &&
        each <= (hours.validTo ?? '9999') &&
        !this.world.branch.holidays.some((holiday) => holiday.date === each),
    );
    return (i) => counts[date[i] ?? 0] === true && Number(time[i]) >= start && Number(time[i]) < end;
  }

  /** The hours that count, each day of those of a branch that is always open being one. */
  private hoursOf(own: readonly Hours[]): Hours[] {
    const { branch } = this.world;
    if (own.length > 0) return own.filter((each) => [undefined, null, branch.id].includes(each.branchId));
    if (branch.openingHours.length > 0) return [...branch.openingHours];
    return [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, start: '00:00', end: '24:00' }));
  }

  /** Whether they are inside hours and not away in all these minutes. */
  private isPresent(who: StaffMember | Resource, from: number, to: number): boolean {
    let counts = this.present.get(who.id);
    if (counts === undefined) {
      const hours = this.hoursOf(who.workingHours).map((each) => this.within(each));
      const off = this.world.timeOff.get(who.id);
      const isThere = (i: number) => hours.some((isWithin) => isWithin(i)) && !lies(off, this.first + i);
      counts = counted(this.wall.date.length, isThere);
      this.present.set(who.id, counts);
    }
    return countWithin(counts, from - this.first, to - this.first) === to - from;
  }

  /** A resource without hours has only time off. */
  private isInUse(resource: Resource, from: number, to: number): boolean {
    if (resource.workingHours.length > 0) return this.isPresent(resource, from, to);
    return !this.marks(this.used, this.world.timeOff, resource.id, from, to);
  }

  /** Whether nothing of theirs lies in these minutes, which may begin two hours before the range. */
  private isFree(id: string, from: number, to: number): boolean {
    return !this.marks(this.taken, this.world.busy, id, from, to);
  }

  private marks(of: Map<string, Uint32Array>, times: World['busy'], id: string, from: number, to: number): boolean {
    const origin = this.first - 120;
    let counts = of.get(id);
    if (counts === undefined) {
      const marked = new Uint8Array(this.wall.date.length + 240);
      const all = times.get(id) ?? [];
      for (let i = 0; i < all.length; i += 2)
        marked.fill(1, Math.max(0, Number(all[i]) - origin), Math.max(0, Number(all[i + 1]) - origin));
      counts = counted(marked.length, (i) => marked[i] === 1);
      of.set(id, counts);
    }
    return countWithin(counts, from - origin, to - origin) > 0;
  }

  works(member: StaffMember, services: readonly Service[]): boolean {
    if (!member.isActive || !member.branchIds.some((id) => id === this.world.branch.id)) return false;
    return services.every(
      (service) =>
        member.serviceIds.some((id) => id === service.id) || service.staff.some((each) => each.staffId === member.id),
    );
  }

  private runs = new Map<string, [from: number, to: number][]>();

  /** The minutes of a service in which somebody works at it, in runs. */
  private worked(service: Service, duration: number): [from: number, to: number][] {
    const known = this.runs.get(`${service.id} ${duration}`);
    if (known !== undefined) return known;
    const runs: [from: number, to: number][] = [];
    for (let minute = 0; minute < duration; minute += 1) {
      const develops = service.processing.some(
        (each) => minute >= each.afterMinutes && minute < each.afterMinutes + each.minutes,
      );
      const last = runs.at(-1);
      if (develops) continue;
      if (last?.[1] === minute) last[1] = minute + 1;
      else runs.push([minute, minute + 1]);
    }
    this.runs.set(`${service.id} ${duration}`, runs);
    return runs;
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
      if (!this.worked(service, duration).every(([from, to]) => this.isFree(member.id, at + from, at + to)))
        return false;
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
    for (const [from, to] of this.openingsOf(member))
      for (let minute = from; minute < to; minute += this.world.stepMinutes) steps.push(minute);
    return steps.sort((a, b) => a - b);
  }

  private opened = new Map<string, [from: number, to: number][]>();

  private openingsOf(member: StaffMember): [from: number, to: number][] {
    const known = this.opened.get(member.id);
    if (known !== undefined) return known;
    const { wall } = this;
    const openings: [from: number, to: number][] = [];
    // The last date is that after the range.
    const last = wall.dates.length - 1;
    for (const interval of this.hoursOf(member.workingHours)) {
      const isWithin = this.within(interval);
      let isOpen = false;
      for (let i = 0; Number(wall.date[i]) < last; i += 1) {
        const goesOn = isOpen && wall.date[i] === wall.date[i - 1];
        isOpen = isWithin(i);
        const opening = openings.at(-1);
        if (!isOpen) continue;
        if (goesOn && opening !== undefined) opening[1] = this.first + i + 1;
        else openings.push([this.first + i, this.first + i + 1]);
      }
    }
    this.opened.set(member.id, openings);
    return openings;
  }

  /** Of each minute whether the services are offered for it by now. */
  offers(): (start: number) => boolean {
    const { services, now, branch } = this.world;
    const within = (days: number): string =>
      Temporal.Instant.fromEpochMilliseconds(now)
        .toZonedDateTimeISO(branch.timeZone)
        .toPlainDate()
        .add({ days })
        .toString();
    const limits = services.map(({ leadTimeMinutes, horizonDays }) => ({
      leadTimeMinutes,
      last: horizonDays === null ? '9999' : within(horizonDays),
    }));
    return (start) => {
      const date = this.wall.dates[this.wall.date[start - this.first] ?? 0] ?? '';
      return limits.every(
        ({ leadTimeMinutes, last }) =>
          (leadTimeMinutes === null || start * 60_000 >= now + leadTimeMinutes * 60_000) && date <= last,
      );
    };
  }
}
