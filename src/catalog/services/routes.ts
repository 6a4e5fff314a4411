import { routesBelow } from '../../http/route.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { service } from './resource.ts';

export const serviceRoutes = routesBelow(['services'], () => standardRoutes(service));
