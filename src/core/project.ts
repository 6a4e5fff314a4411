/**
 * Keeps exactly the named keys plus id, in the view's own order (`fields=` of contract.md 2); null keeps everything.
 * Compile once per request, apply per row. Embedded objects (`include=`) must be named to stay.
 */
export function compileProjection(
  fields: readonly string[] | null,
): (view: Record<string, unknown>) => Record<string, unknown> {
  if (fields === null) return (view) => view;
  const kept = new Set(fields).add('id');
  return (view) => {
    const projected: Record<string, unknown> = {};
    for (const key in view) if (kept.has(key)) projected[key] = view[key];
    return projected;
  };
}
