/** The lists that readers ask for; their exact answers are rebuilt from the log (oracle.ts). */
export const LISTS = [
  '/clients',
  '/clients?limit=5',
  '/clients?status=ARCHIVED&limit=10',
  '/clients?status=ACTIVE,INACTIVE&page=2&limit=10',
  '/clients?sort=-updatedAt&limit=10',
  '/clients?sort=createdAt&limit=5',
  '/clients?tag=vip&limit=10&fields=id,status,version',
] as const;

/** What every client of the storm is called; a patch to it changes nothing. */
export const LAST_NAME = 'Storm';
