import type { AppContext } from './context.ts';

/**
 * What the caller itself said it takes. The platform writes its own `Accept-Encoding` into every request and keeps the
 * caller's in `cf`; without `cf` nobody stood in between.
 */
function acceptedBy(c: AppContext): string {
  const { cf } = c.req.raw as Request<unknown, IncomingRequestCfProperties>;
  return (cf === undefined ? c.req.header('Accept-Encoding') : cf.clientAcceptEncoding) ?? '';
}

/** Whether an answer to this caller may be gzip. */
export const takesGzip = (c: AppContext): boolean => acceptsGzip(acceptedBy(c));

/** `Accept-Encoding` (RFC 9110, 12.5.3): named, or meant by `*`, with a weight above 0 and not below that of identity. */
export function acceptsGzip(header: string): boolean {
  const weights = new Map<string, number>();
  for (const item of header.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = item.split(';').map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    // A weight that is none is no wish.
    weights.set(
      coding,
      weight === undefined ? 1 : /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0,
    );
  }
  const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0;
  return gzip > 0 && gzip >= (weights.get('identity') ?? 0);
}
