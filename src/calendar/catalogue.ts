import type { Processing, Tax } from '../catalog/services/table.ts';
import type { Money } from '../core/currency.ts';
import type { BranchHours, Hours } from './working-time.ts';

// What the calendar's rules need of the catalogue: the columns of its rows, with ids as the caller has them.

export type Branch = BranchHours & { timeZone: string; isActive: boolean };

export type Service = {
  id: string;
  name: string;
  isActive: boolean;
  durationMinutes: number;
  bufferBeforeMinutes: number;
  bufferAfterMinutes: number;
  processing: readonly Processing[];
  /** Kinds of resource, one for each that it needs. */
  requires: readonly string[];
  price: Money | null;
  taxes: readonly Tax[];
  /** Whoever has terms of their own offers it, whatever their `serviceIds` say. */
  staff: readonly { staffId: string; price?: Money | undefined; durationMinutes?: number | undefined }[];
  leadTimeMinutes: number | null;
  horizonDays: number | null;
};

export type StaffMember = {
  id: string;
  isActive: boolean;
  branchIds: readonly string[];
  serviceIds: readonly string[];
  workingHours: readonly Hours[];
};

export type Resource = {
  id: string;
  kind: string;
  branchId: string;
  isActive: boolean;
  workingHours: readonly Hours[];
};

/** Minutes since 1970, start, end, start, end …, in any order, by the id of the staff member or resource. */
export type Times = ReadonlyMap<string, readonly number[]>;

export const offers = (member: StaffMember, service: Service): boolean =>
  member.serviceIds.includes(service.id) || service.staff.some(({ staffId }) => staffId === member.id);
