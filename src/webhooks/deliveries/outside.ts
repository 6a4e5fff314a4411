import type { Settings } from '../../settings.ts';
import type { Outside } from './post.ts';
import { resolverAt } from './resolver.ts';

/** As this deployment sends. */
export function outsideOf({ webhooks }: Settings): Outside {
  const { timeout, loopback, resolver } = webhooks;
  // Bound by the arrow: the platform's fetch is not to be called as a method of something else.
  const ask: typeof fetch = (input, init) => fetch(input, init);
  return {
    fetch: ask,
    now: Date.now,
    timeout,
    loopback,
    resolve: resolver === null ? null : resolverAt(resolver, ask),
  };
}
