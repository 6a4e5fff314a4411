/** What the rest of the system asks of the watch (a Durable Object, one per deployment). See `PulseKeeper`. */
export type WatchApi = {
  /** Looks after Redis now, and with `stay` every few seconds for the next two minutes. */
  beat(stay: boolean): Promise<void>;
  /** An announcement does not reach Redis. */
  alert(): Promise<void>;
};

export type WatchOf = () => WatchApi;
