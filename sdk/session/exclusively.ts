/** What is used of the Web Locks API (browsers; Node has none). */
interface Locks {
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** Does it while no other tab of this browser does. Where tabs cannot talk, and in Node, it is just done. */
export function exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
  const { locks } = (globalThis as { navigator?: { locks?: Locks } }).navigator ?? {};
  return locks === undefined ? work() : locks.request(name, work);
}
