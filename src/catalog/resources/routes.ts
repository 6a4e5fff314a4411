import { routesBelow } from '../../http/route.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { bookableResource } from './resource.ts';

export const resourceRoutes = routesBelow(['resources'], () => standardRoutes(bookableResource));
