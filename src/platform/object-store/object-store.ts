/**
 * Where large things are kept that are written once: bytes by a key. An adapter knows nothing of what the bytes are; they
 * are sealed before they come here (`sealed-objects.ts`).
 */
export interface ObjectStore {
  /**
   * Stores a file under a key, whole and durable or not at all.
   *
   * @returns `exists`: the key has an object already, which stays as it is
   * @throws ObjectStoreError `StoreUnavailable`
   */
  put(key: string, file: string): Promise<'stored' | 'exists'>;
  /** @throws ObjectStoreError `ObjectMissing`, `StoreUnavailable`; the stream may fail later, in the middle */
  get(key: string): Promise<AsyncIterable<Uint8Array>>;
  /** Its size in bytes; undefined: there is none. */
  head(key: string): Promise<{ readonly size: number } | undefined>;
  close(): Promise<void>;
}

export type ObjectStoreErrorCode =
  | 'KeyInvalid'
  | 'ObjectMissing'
  /** The key has other bytes already. */
  | 'ObjectConflict'
  /** What is stored is not what was stored: changed, cut off, reordered, moved, or sealed with a key that is not here. */
  | 'ObjectDamaged'
  | 'ObjectTooLarge'
  | 'StoreUnavailable';

export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError';
  readonly code: ObjectStoreErrorCode;

  constructor(code: ObjectStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const KEY = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}(\/[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}){0,7}$/;

/** A key is a path of names: nothing in it leads out of a folder, whatever store it is. @throws ObjectStoreError */
export function checkKey(key: string): void {
  if (!KEY.test(key)) throw new ObjectStoreError('KeyInvalid', 'a key is names of A-Z a-z 0-9 _ . : - with / between');
}
