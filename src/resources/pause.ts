/** A pause in which the isolate serves others: it has one thread, and whoever works long in it holds up everybody. */
export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
