/** What the local runtime lets tests do; Miniflare's own `unsafeEvictDurableObject` blocks the thread that the databases answer on. */
declare module 'workerd:unsafe' {
  const unsafe: { evict(object: unknown, options: { webSockets: 'hibernate' | 'close' }): Promise<void> };
  export default unsafe;
}
