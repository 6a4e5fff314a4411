export { type ListStatus, LiveList, type Snapshot } from './live/list.ts';
export { Live, type LiveOptions, openLive, type RowAt } from './live/lists.ts';
export { browserStorage, type ListStorage, memoryStorage, type Stored } from './live/storage.ts';
