import { routesBelow } from '../../http/route.ts';
import { nestedRoutes } from '../../resources/nested-routes.ts';
import { bookableResource } from '../resources/resource.ts';
import { staffMember } from '../staff/resource.ts';
import { timeOff } from './resource.ts';

export const timeOffRoutes = routesBelow(['staff', 'resources'], () => [
  ...nestedRoutes(timeOff, { of: staffMember, field: 'staffId' }),
  ...nestedRoutes(timeOff, { of: bookableResource, field: 'resourceId' }),
]);
