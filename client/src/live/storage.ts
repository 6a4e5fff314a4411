/** A list as it was last known. */
export type Stored = { epoch: string; revision: number; rows: readonly unknown[] };

/** Where lists are kept between two visits. */
export type ListStorage = {
  read(key: string): Promise<Stored | undefined>;
  write(key: string, stored: Stored): Promise<void>;
  /** Everything whose key begins so. */
  clear(prefix: string): Promise<void>;
};

/** Until the process ends. */
export function memoryStorage(): ListStorage {
  const kept = new Map<string, Stored>();
  return {
    read: async (key) => kept.get(key),
    write: async (key, stored) => void kept.set(key, structuredClone(stored)),
    clear: async (prefix) => {
      for (const key of kept.keys()) if (key.startsWith(prefix)) kept.delete(key);
    },
  };
}

/** As much of IndexedDB as is used. */
type Requested<T> = { result: T; error: unknown; onsuccess: (() => void) | null; onerror: (() => void) | null };
type Store = {
  get(key: string): Requested<Stored | undefined>;
  put(value: Stored, key: string): Requested<unknown>;
  delete(range: unknown): Requested<unknown>;
};
type Database = {
  createObjectStore(name: string): unknown;
  transaction(name: string, mode: 'readonly' | 'readwrite'): { objectStore(name: string): Store };
};
type Browser = {
  indexedDB: { open(name: string, version: number): Requested<Database> & { onupgradeneeded: (() => void) | null } };
  IDBKeyRange: { bound(low: string, high: string): unknown };
};

const LISTS = 'lists';

/** In the browser's IndexedDB. */
export function browserStorage(name = 'clientsplus'): ListStorage {
  const { indexedDB, IDBKeyRange } = globalThis as unknown as Browser;
  let database: Promise<Database> | null = null;
  const open = (): Promise<Database> => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(LISTS);
    return done(request);
  };
  const store = async (mode: 'readonly' | 'readwrite'): Promise<Store> => {
    database ??= open();
    return (await database).transaction(LISTS, mode).objectStore(LISTS);
  };
  return {
    read: async (key) => done((await store('readonly')).get(key)),
    write: async (key, stored) => void (await done((await store('readwrite')).put(stored, key))),
    clear: async (prefix) =>
      void (await done((await store('readwrite')).delete(IDBKeyRange.bound(prefix, `${prefix}\uffff`)))),
  };
}

function done<T>(request: Requested<T>): Promise<T> {
  return new Promise((found, failed) => {
    request.onsuccess = () => found(request.result);
    request.onerror = () => failed(request.error);
  });
}
