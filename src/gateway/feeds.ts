/** What the doors need of feeds: events for services of ours, signed one by one. */
export interface Feeds {
  /** @param after the position that was taken last; 0: from the beginning */
  read(feed: FeedName, after: number, limit: number): Promise<FeedPage>;
}

export const feedNames = ['payments', 'statements'] as const;
export type FeedName = (typeof feedNames)[number];

export interface FeedPage {
  readonly items: readonly { readonly position: number; readonly body: string; readonly signature: string }[];
  readonly next: number;
  readonly last: number;
}
