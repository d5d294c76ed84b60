/** What is used of the Web Locks API (browsers; Node 22 has none). */
interface Locks {
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** The last work of each name, where there are no locks: for all clients of this process. */
const lasts = new Map<string, Promise<unknown>>();

/** Does it while nobody else in this process, or in another tab of this browser, does something of that name. */
export async function exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
  const { locks } = (globalThis as { navigator?: { locks?: Locks } }).navigator ?? {};
  if (locks !== undefined) return locks.request(name, work);
  const before = lasts.get(name) ?? Promise.resolve();
  const mine = before.then(work, work);
  lasts.set(name, mine);
  try {
    return await mine;
  } finally {
    if (lasts.get(name) === mine) lasts.delete(name);
  }
}
