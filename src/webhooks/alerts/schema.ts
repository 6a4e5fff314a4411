import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { ALERT_STATES, ALERTABLE, COMPARISONS } from '../../data/monitor.ts';
import { bodyOf, exampleOf, externalId, instant, patchOf, publicObject, text } from '../../http/schemas.ts';
import { callback } from '../endpoints/schema.ts';

const value = () => z.number().min(-1e12).max(1e12);
const members = () => ({
  name: text(),
  metric: z.enum(ALERTABLE).describe('Of the whole deployment, as `GET /health/history` shows it by minutes.'),
  comparison: z.enum(COMPARISONS),
  threshold: value().describe('Beyond it the rule is PENDING, then FIRING.'),
  hysteresis: z.number().min(0).max(1e12).optional().describe('How far back from the threshold it clears.'),
  forMinutes: z.int().min(1).max(60).optional().describe('So many minutes in a row it must be beyond.'),
  url: callback().describe('Where it is told, as a webhook is: `https://`, a public name.'),
  externalId: externalId().nullable().optional(),
});

const EXAMPLE = {
  ...{ name: 'Many errors', metric: 'errorRate', comparison: 'ABOVE', threshold: 2, hysteresis: 1, forMinutes: 3 },
  url: 'https://hooks.example.com/alerts',
};

export const AlertCreate = bodyOf('AlertCreate', EXAMPLE, members);
export const AlertPatch = patchOf('AlertPatch', { threshold: 5 }, members);

const example = {
  id: 'alrt_01h455vb4pex5vsknk084sn02q',
  ...EXAMPLE,
  ...{ isActive: true, state: 'OK', stateSince: null, lastValue: null },
};

export const AlertView = publicObject('Alert', example, () => ({
  name: z.string().describe('What it is called.'),
  metric: z.enum(ALERTABLE).describe('Of the whole deployment.'),
  comparison: z.enum(COMPARISONS),
  threshold: z.number().describe('Beyond it the rule is PENDING, then FIRING.'),
  hysteresis: z.number().describe('How far back from the threshold it clears.'),
  forMinutes: z.int().describe('So many minutes in a row it must be beyond.'),
  url: z.string().describe('Where it is told.'),
  isActive: z.boolean().describe('False: archived; nobody looks at it.'),
  state: z.enum(ALERT_STATES).describe('By the last whole minute.'),
  stateSince: instant('Since which minute.').nullable(),
  lastValue: z.number().nullable().describe('The figure that brought it there.'),
}));

export const AlertWithSecret = lazy(() =>
  AlertView()
    .extend({ secret: z.string().describe('Shown this once: what its messages are signed with.') })
    .meta({ id: 'AlertWithSecret', examples: [{ ...exampleOf(example), secret: 'whsec_…' }] }),
);
