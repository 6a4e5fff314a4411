import { join } from 'node:path';

export const projectFolder = join(import.meta.dirname, '../..');
export const pagesFolder = join(projectFolder, 'public');
/** What wrangler.toml deploys as static assets. */
export const siteFolder = join(projectFolder, '.cache', 'site');
