import { standardRoutes } from '../../resources/standard-routes.ts';
import { staffMember } from './resource.ts';

export const staffRoutes = standardRoutes(staffMember);
