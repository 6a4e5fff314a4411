/** A record of these keys, each with what `of` makes of it. */
export const recordOf = <K extends string, V>(keys: readonly K[], of: (key: K, place: number) => V): Record<K, V> =>
  Object.fromEntries(keys.map((key, place) => [key, of(key, place)])) as Record<K, V>;

/** The keys that an object was declared with. */
export const namesOf = <T extends object>(declared: T): (keyof T & string)[] =>
  Object.keys(declared) as (keyof T & string)[];

/** The members that say something. */
export const definedOf = <T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

/** Is it one of these? For what comes from outside. */
export const isOneOf = <T>(all: readonly T[], value: unknown): value is T => all.some((each) => each === value);
