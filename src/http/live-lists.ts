import { AppError } from '../core/errors.ts';
import { lazy } from '../core/lazy.ts';
import type { FindList, LiveRoute } from '../data/live-list.ts';
import type { RouteModule } from './route.ts';

/** The lists of these routes by their path, with the base of the API or without. */
export function liveLists(base: string, modules: readonly RouteModule[]): FindList {
  const of = modules.map(({ below, routes }) => ({
    below,
    lists: lazy(() =>
      routes().flatMap(({ path, live }) => (live === undefined ? [] : [{ steps: path.split('/'), live }])),
    ),
  }));
  return (path, viewer) => {
    const mark = path.indexOf('?');
    const place = mark < 0 ? path : path.slice(0, mark);
    const steps = (place.startsWith(`${base}/`) ? place.slice(base.length) : place).split('/');
    const near = of.filter(({ below }) => below.includes(steps[1] ?? ''));
    for (const { steps: own, live } of near.flatMap(({ lists }) => lists())) {
      const parent = matched(own, steps);
      if (parent !== undefined)
        return ofRoute(live, new URLSearchParams(mark < 0 ? '' : path.slice(mark)), parent, viewer);
    }
    throw new AppError('not_found', 'There is no list at this path that can be followed.');
  };
}

function ofRoute(live: LiveRoute, params: URLSearchParams, parent: string | null, viewer: Parameters<FindList>[1]) {
  if (!viewer.may(live.permission)) throw new AppError('forbidden');
  return live.parse(params, parent, viewer);
}

/** What stands for the parameter of a route, null where it has none; undefined where it is another path. */
function matched(route: readonly string[], steps: readonly string[]): string | null | undefined {
  if (route.length !== steps.length) return undefined;
  let parameter: string | null = null;
  for (const [i, step] of route.entries()) {
    if (step.startsWith(':')) parameter = steps[i] ?? '';
    else if (step !== steps[i]) return undefined;
  }
  return parameter;
}
