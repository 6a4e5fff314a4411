/** Numbers by name, in the order in which they were first told. */
export class Tally {
  readonly numbers = new Map<string, number>();

  add(name: string, amount = 1): void {
    this.numbers.set(name, (this.numbers.get(name) ?? 0) + amount);
  }
}

export const distinct = (values: readonly string[]): string[] => [...new Set(values)].sort();
