import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { documentFields, email, exampleEnd, externalId, identityFields, reference, text } from '../../http/schemas.ts';
import { checkHours, type HoursInterval, hoursFields, hoursView } from '../branches/hours.ts';
import { references } from '../ids.ts';

const HOURS = { weekday: 1, start: '09:00', end: '17:00' };
const BRANCH = 'brch_01h455vb4pex5vsknk084sn02q';
const SERVICE = 'svc_01h455vb4pex5vsknk084sn02q';

/** Of one branch, or of all where none is named; those of one branch may not overlap. */
const workingHours = () => z.array(interval()).max(200, 'Must have at most 200 intervals.').superRefine(checkOwners);
const interval = () => z.strictObject({ ...hoursFields(), branchId: reference().optional() });

type Interval = HoursInterval & { branchId?: string | undefined; branchExternalId?: string | null | undefined };

function checkOwners(hours: readonly Interval[], ctx: z.core.$RefinementCtx): void {
  const branchOf = (at: number): string | undefined => hours[at]?.branchExternalId ?? hours[at]?.branchId;
  checkHours(
    hours,
    (path, code, message) => ctx.addIssue({ code: 'custom', path, message, params: { code } }),
    (a, b) => branchOf(a) === undefined || branchOf(b) === undefined || branchOf(a) === branchOf(b),
  );
}

const color = () => z.string().regex(/^#[0-9a-fA-F]{6}$/, 'Must be a colour such as #3366cc.');

const optional = () => ({
  firstName: text().nullable().optional(),
  lastName: text().nullable().optional(),
  email: email().nullable().optional(),
  userId: reference().nullable().optional(),
  branchIds: references().nullable().optional(),
  serviceIds: references().nullable().optional(),
  isActive: z.boolean().optional(),
  workingHours: workingHours().nullable().optional(),
  color: color().nullable().optional(),
  externalId: externalId().nullable().optional(),
});

export const StaffCreate = lazy(() =>
  z
    .strictObject(optional())
    .refine(({ firstName, lastName }) => typeof (firstName ?? lastName) === 'string', {
      message: 'At least one of firstName, lastName is required.',
      params: { code: 'required' },
    })
    .meta({ id: 'StaffCreate', examples: [{ firstName: 'Anna', lastName: 'Müller', color: '#3366cc' }] }),
);

/** JSON Merge Patch (RFC 7396): lists are replaced. */
export const StaffPatch = lazy(() =>
  z
    .strictObject(optional())
    .meta({ id: 'StaffPatch', examples: [{ email: 'anna@example.com', workingHours: [HOURS] }] }),
);

/** What files say otherwise: each interval names its branch by either id. */
export const StaffFile = lazy(() =>
  z.object({
    workingHours: z
      .array(interval().extend({ branchExternalId: externalId().nullable().optional() }))
      .max(200, 'Must have at most 200 intervals.')
      .superRefine(checkOwners)
      .nullable()
      .optional(),
  }),
);

export const StaffView = lazy(() =>
  z
    .object({
      ...identityFields(),
      firstName: z.string().nullable().describe('Given name.'),
      lastName: z.string().nullable().describe('Family name.'),
      name: z.string().describe('Both, as far as there are.'),
      email: z.string().nullable().describe('Where they are written to.'),
      userId: z.string().nullable().describe('The account they sign in with; null: none.'),
      branchIds: z.array(z.string()).describe('Where they work.'),
      serviceIds: z.array(z.string()).describe('What they offer; besides that, services that have terms for them.'),
      isActive: z.boolean().describe('False: archived.'),
      workingHours: z
        .array(hoursView().extend({ branchId: z.string().optional().describe('Absent: at every branch.') }))
        .describe('None: those of the branch.'),
      color: z.string().nullable().describe('How they are shown in calendars.'),
      ...documentFields(),
    })
    .meta({
      id: 'Staff',
      examples: [
        {
          id: 'stf_01h455vb4pex5vsknk084sn02q',
          externalId: null,
          firstName: 'Anna',
          lastName: 'Müller',
          name: 'Anna Müller',
          email: 'anna@example.com',
          userId: null,
          branchIds: [BRANCH],
          serviceIds: [SERVICE],
          isActive: true,
          workingHours: [HOURS],
          color: '#3366cc',
          ...exampleEnd,
        },
      ],
    }),
);
