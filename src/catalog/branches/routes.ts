import { standardRoutes } from '../../resources/standard-routes.ts';
import { branch } from './resource.ts';

export const branchRoutes = standardRoutes(branch);
