import { type Answer, granted } from './answer.ts';

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Give it as `cursor` for the next page; absent on the last one. */
  readonly next?: string;
}

/**
 * A list that is read page by page: as items (`for await (const payment of list)`), or a page at a time. Nothing is asked
 * for before it is read. A refusal ends the iteration, thrown as `KoraRefusal`; `page` returns it.
 */
export class Pages<Item> implements AsyncIterable<Item> {
  readonly #read: (from: { readonly cursor?: string }) => Promise<Answer<Page<Item>>>;

  constructor(read: (from: { readonly cursor?: string }) => Promise<Answer<Page<Item>>>) {
    this.#read = read;
  }

  /** @param cursor `next` of the page before; without it, the first page */
  page(cursor?: string): Promise<Answer<Page<Item>>> {
    return this.#read(cursor === undefined ? {} : { cursor });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    let cursor: string | undefined;
    do {
      const page = granted(await this.page(cursor));
      yield* page.items;
      cursor = page.next;
    } while (cursor !== undefined);
  }
}
