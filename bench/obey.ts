/** In a child of `startGenerator`: carries out one order after another until the parent lets go. */
export function obey<Order>(run: (order: Order) => Promise<unknown>): void {
  process.on('message', (order: Order) => {
    run(order).then(
      (report) => process.send?.(report),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => process.exit(0));
}
