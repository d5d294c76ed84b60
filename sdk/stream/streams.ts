import type { RetryPolicy } from '../calls/retry.ts';
import { Channel, type Doorkeeper } from './channel.ts';
import { defaultTimes, type ConnectionTimes } from './connection.ts';
import { type Told, type Watch, Watching } from './watching.ts';

export interface StreamsOptions {
  readonly url: string;
  readonly door: Doorkeeper;
  readonly retry: RetryPolicy;
  /** For tests. */
  readonly times?: ConnectionTimes;
}

export interface WatchOptions {
  /** Begin after this position, without a snapshot; 0 is the beginning. Default: now, with a snapshot where the topic has one. */
  readonly after?: number;
  /** Ends the iteration, as `break` does. */
  readonly signal?: AbortSignal;
}

/** Everything that one client watches: all topics on one socket, and another only where the first cannot take them. */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #channels: Channel[] = [];
  readonly #channelOf = new Map<Watching, Channel>();

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  watch<State, Event>(topic: string, { after, signal }: WatchOptions = {}): Watch<State, Event> {
    return {
      // Each iteration is a watch of its own, and costs nothing before it begins.
      [Symbol.asyncIterator]: () =>
        this.#begin(topic, after, signal) as AsyncIterator<Told<State, Event>, undefined, undefined>,
    };
  }

  #begin(topic: string, after: number | undefined, signal: AbortSignal | undefined): Watching {
    const abort = (): void => void watching.return();
    const watching = new Watching(topic, after, {
      wanted: (which) => this.#channelOf.get(which)?.wanted(which),
      ended: (which) => {
        signal?.removeEventListener('abort', abort);
        this.#channelOf.get(which)?.remove(which);
        this.#channelOf.delete(which);
      },
    });
    if (signal?.aborted === true) {
      abort();
      return watching;
    }
    signal?.addEventListener('abort', abort, { once: true });
    this.#place(watching);
    return watching;
  }

  /** The first channel that has room for it. The same topic twice is on two sockets: the door tells each of them from its beginning. */
  #place(watching: Watching, not?: Channel): void {
    let channel = this.#channels.find((one) => one !== not && one.add(watching));
    if (channel === undefined) {
      const { url, door, retry, times = defaultTimes } = this.#options;
      channel = new Channel({ url, door, retry, times, crowded: (which, crowded) => this.#place(which, crowded) });
      this.#channels.push(channel);
      channel.add(watching);
    }
    this.#channelOf.set(watching, channel);
  }
}
