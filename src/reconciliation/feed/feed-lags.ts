import type { FeedName } from './contract.ts';

export interface FeedLag {
  readonly feed: FeedName;
  /** Events that were not taken in yet, when the core was last asked; undefined: it has not answered yet. */
  readonly events: number | undefined;
  /** Since everything was last known to be in: nothing that is missing is older. Grows while the core does not answer, too. */
  readonly seconds: number;
}

interface Standing {
  caughtUpAt: Date;
  events: number | undefined;
}

/** How far reconciliation is behind its feeds, in the process that takes them in; in those that wait there is nothing to say. */
export class FeedLags {
  readonly #standings = new Map<FeedName, Standing>();

  /** @param caughtUpAt as it was written down, by this process or the one before it */
  begin(feed: FeedName, caughtUpAt: Date): void {
    this.#standings.set(feed, { caughtUpAt, events: undefined });
  }

  /** @param askedAt when the core was asked: with nothing left, everything from before it is in */
  seen(feed: FeedName, events: number, askedAt: Date): void {
    const standing = this.#standings.get(feed);
    if (standing === undefined) return;
    standing.events = events;
    if (events === 0 && askedAt > standing.caughtUpAt) standing.caughtUpAt = askedAt;
  }

  /** Another process may take them in now. */
  end(): void {
    this.#standings.clear();
  }

  caughtUpAt(feed: FeedName): Date | undefined {
    return this.#standings.get(feed)?.caughtUpAt;
  }

  figures(now: Date): readonly FeedLag[] {
    return [...this.#standings].map(([feed, { events, caughtUpAt }]) => {
      return { feed, events, seconds: Math.max(0, (now.getTime() - caughtUpAt.getTime()) / 1_000) };
    });
  }
}
