import { fingerprintOf } from './ids.ts';

/**
 * Pages by key: a page says where the next one begins, so that reading page 10,000 costs what reading the first one does,
 * and nothing is shown twice or left out because something new came meanwhile.
 */
export interface Page {
  /** Items in it at most: 1 to `PAGE_LIMIT_MAX`. */
  readonly limit: number;
  /** Where it begins: `next` of the page before, as it was given. Absent: at the beginning. */
  readonly cursor?: string;
}

export interface PageOf<Item> {
  readonly items: readonly Item[];
  /** The cursor of the next page; absent on the last one. Nobody but the list that made it may look into it. */
  readonly next?: string;
}

export const PAGE_LIMIT_MAX = 200;

/** A page that cannot be: the asker's mistake, which a door tells them as `Invalid` on this field. */
export class PageError extends Error {
  override readonly name = 'PageError';
  readonly code = 'Invalid';
  readonly field: 'cursor' | 'limit';
  constructor(field: 'cursor' | 'limit', message: string) {
    super(message);
    this.field = field;
  }
}

/** What a list is and what it is narrowed to: a cursor of one list is none of another. */
export type ListName = Readonly<Record<string, string | number | undefined>>;

/**
 * A page of what was read: one item more than the page holds says that there is a next one.
 *
 * @param read at most `limit` + 1 items
 * @param keyOf the parts of an item's key, from which the next page goes on
 */
export function pageOf<Item>(
  list: ListName,
  { limit }: Page,
  read: readonly Item[],
  keyOf: (item: Item) => readonly string[],
): PageOf<Item> {
  const items = read.slice(0, limit);
  const last = items.at(-1);
  return read.length <= limit || last === undefined ? { items } : { items, next: cursorOf(list, keyOf(last)) };
}

/**
 * The key after which a page begins; undefined at the beginning.
 *
 * @param parts how many parts the key has
 * @param shapes what each part of the key looks like
 * @throws PageError when the limit is out of bounds, or the cursor is not one that this list gave
 */
export function keyAfter(
  list: ListName,
  { limit, cursor }: Page,
  shapes: readonly RegExp[],
): readonly string[] | undefined {
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_LIMIT_MAX) {
    throw new PageError('limit', `a page holds 1 to ${PAGE_LIMIT_MAX} items`);
  }
  if (cursor === undefined) return undefined;
  const key = keyIn(cursor);
  const isKey = key?.length === shapes.length && shapes.every((shape, part) => shape.test(key[part] as string));
  if (!isKey || cursorOf(list, key) !== cursor) {
    throw new PageError('cursor', 'no cursor of this list: send `next` of its last page, with the same filters');
  }
  return key;
}

/** Not a secret and not signed: whoever makes one up sees what the list shows them anyway. It tells a mistake. */
function cursorOf(list: ListName, key: readonly string[]): string {
  const check = fingerprintOf({ list, key }).slice(0, 8);
  return Buffer.from(JSON.stringify([check, ...key])).toString('base64url');
}

function keyIn(cursor: string): string[] | undefined {
  try {
    const parts = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown;
    if (!Array.isArray(parts) || !parts.every((part) => typeof part === 'string')) return undefined;
    return parts.slice(1);
  } catch {
    return undefined;
  }
}
