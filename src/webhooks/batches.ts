import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What comes, in batches: whatever came while the one before was worked on, `max` at most. The first of a batch waits
 * `lingerMs` for company, because a transaction costs more than what is in it. Memory is bounded by two batches.
 *
 * Ends when the source does, and throws what it throws, after what came before was given out.
 */
export async function* batchesOf<Item>(
  source: AsyncIterable<Item>,
  { max, lingerMs }: { readonly max: number; readonly lingerMs: number },
): AsyncGenerator<Item[]> {
  let waiting: Item[] = [];
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  let changed = signalOnce();
  let taken = signalOnce();
  const stop = new AbortController();
  const over = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
  const gather = async (): Promise<void> => {
    try {
      for await (const item of source) {
        waiting.push(item);
        changed.happen();
        while (waiting.length >= max && !stop.signal.aborted) await Promise.race([taken.happened, over]);
        if (stop.signal.aborted) return;
      }
    } catch (error) {
      failure = { error };
    } finally {
      ended = true;
      changed.happen();
    }
  };
  const gathering = gather();
  try {
    for (;;) {
      while (waiting.length === 0 && !isTrue(ended)) {
        changed = signalOnce();
        await changed.happened;
      }
      if (waiting.length === 0) break;
      if (waiting.length < max && !isTrue(ended)) await sleep(lingerMs);
      const batch = waiting;
      waiting = [];
      taken.happen();
      taken = signalOnce();
      yield batch;
    }
    if (failure !== undefined) throw (failure as { error: unknown }).error;
  } finally {
    stop.abort();
    // A source that waits for something ends by its own signal; nobody waits for that here.
    gathering.catch(() => undefined);
  }
}

// A function, because the compiler believes that what is set in another turn cannot change.
const isTrue = (value: boolean): boolean => value;

function signalOnce(): { readonly happened: Promise<void>; readonly happen: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { happened: promise, happen: () => resolve(undefined) };
}
