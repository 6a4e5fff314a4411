/** Made when it is first asked for, and once. */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Gives an object members that are made together when one of them is first asked for. */
export function lazyMembers<K extends object, const N extends string, M extends Readonly<Record<N, unknown>>>(
  object: K,
  names: readonly N[],
  make: () => M,
): K & Pick<M, N> {
  const made = lazy(make);
  for (const name of names)
    Object.defineProperty(object, name, { enumerable: true, configurable: true, get: () => made()[name] });
  return object as K & Pick<M, N>;
}

/** An object with members beside its own, or in their place; those of it that nobody has asked for yet stay so. */
export const withMembers = <K extends object, M extends object>(known: K, more: M): Omit<K, keyof M> & M =>
  Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(known),
      ...Object.getOwnPropertyDescriptors(more),
    },
  ) as Omit<K, keyof M> & M;
