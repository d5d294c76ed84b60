import type { Watch } from '../../../sdk/index.ts';

interface Heard {
  /** Of snapshots that hold something, and of events, in the order in which they were told. */
  readonly versions: number[];
}

/** Reads what is watched as it comes, and keeps its versions. */
export function collected(watched: Watch<unknown, { readonly version: number }>): {
  readonly told: Heard;
  /** Resolves when the iteration has ended; rejects as it did. */
  readonly over: Promise<void>;
  readonly until: (satisfied: (told: Heard) => boolean) => Promise<void>;
} {
  const told: Heard = { versions: [] };
  let changed = Promise.withResolvers<boolean>();
  const read = async (): Promise<void> => {
    for await (const news of watched) {
      if (news.type === 'snapshot' && news.state !== null) told.versions.push(news.version);
      if (news.type === 'unit') told.versions.push(...news.events.map(({ version }) => version));
      changed.resolve(true);
      changed = Promise.withResolvers();
    }
  };
  const over = read();
  over.catch(() => undefined);
  return {
    told,
    over,
    async until(satisfied) {
      while (!satisfied(told)) {
        if (!(await Promise.race([changed.promise, over.then(() => false)]))) {
          throw new Error(`it ended before: ${JSON.stringify(told)}`);
        }
      }
    },
  };
}

/** Each one follows the one before. */
export function isDense(versions: readonly number[]): boolean {
  return versions.every((version, index) => version === (versions[0] ?? 0) + index);
}
