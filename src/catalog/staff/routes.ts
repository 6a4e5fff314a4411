import { routesBelow } from '../../http/route.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { staffMember } from './resource.ts';

export const staffRoutes = routesBelow(['staff'], () => standardRoutes(staffMember));
