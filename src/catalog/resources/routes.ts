import { standardRoutes } from '../../resources/standard-routes.ts';
import { bookableResource } from './resource.ts';

export const resourceRoutes = standardRoutes(bookableResource);
