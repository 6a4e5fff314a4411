/** Whether a five-field cron expression (UTC, numbers, lists, ranges, steps) names the minute of `at`. */
export function cronMatches(expression: string, at: Date): boolean {
  const fields = expression.trim().split(/\s+/);
  const now = [at.getUTCMinutes(), at.getUTCHours(), at.getUTCDate(), at.getUTCMonth() + 1, at.getUTCDay()];
  return fields.length === 5 && now.every((value, index) => fieldMatches(fields[index] ?? '', value, index));
}

const lowest = [0, 0, 1, 1, 0];

function fieldMatches(field: string, value: number, index: number): boolean {
  return field.split(',').some((part) => {
    const [range = '*', step = '1'] = part.split('/');
    const [from, to = part.includes('/') ? undefined : from] = range === '*' ? [] : range.split('-').map(Number);
    const start = from ?? lowest[index] ?? 0;
    // Cloudflare counts weekdays from 1 (Sunday), where classic cron starts at 0.
    const current = index === 4 && from !== undefined ? value + 1 : value;
    const inside =
      current >= start && current <= (to ?? (range === '*' || part.includes('/') ? Number.MAX_VALUE : start));
    return inside && (current - start) % Number(step) === 0;
  });
}
