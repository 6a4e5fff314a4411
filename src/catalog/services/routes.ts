import { standardRoutes } from '../../resources/standard-routes.ts';
import { service } from './resource.ts';

export const serviceRoutes = standardRoutes(service);
