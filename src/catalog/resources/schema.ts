import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import {
  documentFields,
  exampleEnd,
  externalId,
  identityFields,
  patchOf,
  reference,
  text,
} from '../../http/schemas.ts';
import { hours, hoursView } from '../branches/hours.ts';

const fields = () => ({
  name: text(),
  kind: text(50),
  branchId: reference(),
  isActive: z.boolean().optional(),
  workingHours: hours().nullable().optional(),
  externalId: externalId().nullable().optional(),
});
const EXAMPLE = { name: 'Chair 1', kind: 'CHAIR', branchId: 'brch_01h455vb4pex5vsknk084sn02q' };

export const ResourceCreate = lazy(() => z.strictObject(fields()).meta({ id: 'ResourceCreate', examples: [EXAMPLE] }));

/** JSON Merge Patch (RFC 7396): lists are replaced. */
export const ResourcePatch = patchOf('ResourcePatch', { name: 'Chair at the window' }, fields);

export const ResourceView = lazy(() =>
  z
    .object({
      ...identityFields(),
      name: z.string().describe('What it is called.'),
      kind: z.string().describe('What services require.'),
      branchId: z.string().describe('Where it is.'),
      isActive: z.boolean().describe('False: archived, and chosen no more.'),
      workingHours: z.array(hoursView()).describe('None: whenever somebody works with it.'),
      ...documentFields(),
    })
    .meta({
      id: 'Resource',
      examples: [
        {
          id: 'rsrc_01h455vb4pex5vsknk084sn02q',
          externalId: null,
          ...EXAMPLE,
          isActive: true,
          workingHours: [],
          ...exampleEnd,
        },
      ],
    }),
);
