import { createDevice, type Device } from './device.ts';

const storeName = 'devices';

/**
 * The device that this browser is, for pages of this origin: found in IndexedDB, or made. Its private key cannot be read by
 * anybody, scripts of the page included; it can be used, and is gone when the user clears the site's data.
 *
 * @param name where one browser is to be several devices: one for each user who shares it
 */
export async function deviceOfThisBrowser(name = 'device'): Promise<Device> {
  const database = await opened();
  try {
    const known = await found(database, name);
    if (known !== undefined) return known;
    const made = await createDevice();
    // Two tabs may be here at once: the first one's device is that of both.
    const store = database.transaction(storeName, 'readwrite').objectStore(storeName);
    await done(store.add(made, name)).catch(() => undefined);
    return (await found(database, name)) ?? made;
  } finally {
    database.close();
  }
}

function found(database: IDBDatabase, name: string): Promise<Device | undefined> {
  const request: IDBRequest<unknown> = database.transaction(storeName).objectStore(storeName).get(name);
  return done(request as IDBRequest<Device | undefined>);
}

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open('kora', 1);
  request.onupgradeneeded = () => request.result.createObjectStore(storeName);
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'));
  });
}
