import { sleep } from '../calls/retry.ts';
import type { ClientMessage, ServerMessage, TopicError } from './protocol.ts';
import { WatchRefusal } from './watch-refusal.ts';
import type { Watching } from './watching.ts';

/** A topic on the socket: `leaving` is between the asking and the answer, and whatever comes then is not taken. */
interface Place {
  watching: Watching | undefined;
  wire: 'off' | 'on' | 'leaving';
}

export interface TopicsOptions {
  send(message: ClientMessage): void;
  /** The door says that there are too many topics on this connection: find this one another. */
  crowded(watching: Watching): void;
  /** A topic that could not be read is asked for again after this. */
  readonly againMs: number;
}

/** The topics of one socket, and of those that follow it: which are watched, and which the door knows of. */
export class Topics {
  readonly #options: TopicsOptions;
  readonly #places = new Map<string, Place>();
  #watched = 0;
  #connected = false;
  #full = false;

  constructor(options: TopicsOptions) {
    this.#options = options;
  }

  /** Nobody watches anything here. */
  isIdle(): boolean {
    return this.#watched === 0;
  }

  /** False: this topic is watched here already, or the door takes no more topics on this connection. */
  add(watching: Watching): boolean {
    const place = this.#places.get(watching.topic);
    if (place?.watching !== undefined || (place === undefined && this.#full)) return false;
    if (place === undefined) this.#places.set(watching.topic, { watching, wire: 'off' });
    else place.watching = watching;
    this.#watched += 1;
    this.wanted(watching);
    return true;
  }

  /** There is room for more of this topic: it is subscribed to, unless it is. */
  wanted({ topic }: Watching): void {
    const place = this.#places.get(topic);
    if (place?.watching === undefined || place.wire !== 'off' || place.watching.full || !this.#connected) return;
    const { position } = place.watching;
    place.wire = 'on';
    this.#options.send({ subscribe: { topic, ...(position !== undefined && { after: position }) } });
  }

  remove(watching: Watching): void {
    const place = this.#places.get(watching.topic);
    if (place?.watching !== watching) return;
    place.watching = undefined;
    this.#watched -= 1;
    this.#full = false;
    if (place.wire === 'off') this.#places.delete(watching.topic);
    else this.#leave(watching.topic, place);
  }

  /** A new socket: the door knows of no topic yet. */
  connected(): void {
    this.#connected = true;
    for (const { watching } of this.#places.values()) if (watching !== undefined) this.wanted(watching);
  }

  disconnected(): void {
    this.#connected = false;
    for (const [topic, place] of this.#places) {
      place.wire = 'off';
      if (place.watching === undefined) this.#places.delete(topic);
    }
  }

  /** Ends everything that is watched here. */
  fail(error: Error): void {
    for (const { watching } of [...this.#places.values()]) watching?.fail(error);
  }

  received({ snapshot, live, unit, unsubscribed, error }: ServerMessage): void {
    if (snapshot !== undefined)
      this.#take(snapshot.topic, (watching) => watching.take({ type: 'snapshot', ...snapshot }));
    if (live !== undefined) this.#take(live.topic, (watching) => watching.take({ type: 'live', ...live }));
    if (unit !== undefined) this.#take(unit.topic, (watching) => watching.take({ type: 'unit', ...unit }));
    if (unsubscribed !== undefined) this.#left(unsubscribed.topic);
    if (error !== undefined) this.#refused(error);
  }

  #take(topic: string, told: (watching: Watching) => void): void {
    const place = this.#places.get(topic);
    if (place?.watching === undefined || place.wire !== 'on') return;
    told(place.watching);
    if (place.watching.full) this.#leave(topic, place);
  }

  #leave(topic: string, place: Place): void {
    if (place.wire !== 'on') return;
    place.wire = 'leaving';
    this.#options.send({ unsubscribe: { topic } });
  }

  #left(topic: string): void {
    const place = this.#places.get(topic);
    if (place === undefined) return;
    place.wire = 'off';
    if (place.watching === undefined) this.#places.delete(topic);
    else this.wanted(place.watching);
  }

  #refused({ topic = '', code, message }: TopicError): void {
    const place = this.#places.get(topic);
    if (place === undefined) return;
    // The door came to the end of it by itself while it was being asked for that: what it says of it then does not matter.
    if (place.wire === 'leaving' || code === 'NotSubscribed') {
      if (place.wire === 'leaving' && code === 'NotSubscribed') this.#left(topic);
      return;
    }
    place.wire = 'off';
    const { watching } = place;
    if (watching === undefined) return;
    switch (code) {
      case 'Unavailable':
        void sleep(this.#options.againMs).then(() => this.wanted(watching));
        return;
      case 'TooManySubscriptions':
        // Alone on a connection it is one too many on all of them together.
        if (this.#places.size === 1) break;
        this.#places.delete(topic);
        this.#watched -= 1;
        this.#full = true;
        this.#options.crowded(watching);
        return;
    }
    watching.fail(new WatchRefusal(topic, code, message));
  }
}
