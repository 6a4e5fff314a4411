import { needsOf } from '../../src/account/permissions.ts';
import { BASE, everyRoute } from '../../src/app.ts';
import { openApiDocument } from './openapi.ts';
import type { Json } from './schemas.ts';

/** The OpenAPI document of the API. Nothing in it depends on where that is deployed. */
export const describeApi = (): Json => openApiDocument(BASE, everyRoute(), needsOf);
