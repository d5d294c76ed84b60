import { check } from '../model/finding.ts';
import type { Oracle } from '../model/oracle.ts';
import type { Topics } from '../model/topics.ts';
import type { Random } from './random.ts';
import type { ClientSide } from './simulated-transport.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { Simulator } from './simulator.ts';

/** What a watcher has of the world that it is in. */
interface World {
  readonly simulator: Simulator;
  readonly topics: Topics;
  readonly oracle: Oracle;
  trace(line: string): void;
  guard(work: () => void): void;
  processFor(random: Random): SimulatedProcess | undefined;
}

interface Watched {
  /** Where to resume; undefined: begin with a snapshot. */
  position: number | undefined;
  /** Which event of the topic comes next. */
  next: number;
  live: boolean;
}

interface Told {
  readonly unit?: {
    topic: string;
    position: number;
    events: { position: number; version: number; type: string; data: object }[];
  };
  readonly snapshot?: { topic: string; position: number; version: number; state: Record<string, unknown> | null };
  readonly live?: { topic: string; position: number };
  readonly error?: { code: string; topic?: string };
}

/** A client of the stream that comes back whenever it is cut off, and holds every message to the log (invariant 8). */
export class Watcher {
  readonly #world: World;
  readonly #name: string;
  readonly #random: Random;
  readonly #topics = new Map<string, Watched>();
  #side: ClientSide | undefined;

  constructor(world: World, name: string, topics: readonly string[], random: Random) {
    this.#world = world;
    this.#name = name;
    this.#random = random;
    for (const topic of topics) this.#topics.set(topic, { position: undefined, next: 0, live: false });
    this.#connect();
  }

  /** Whether it has all that there is. */
  get isThrough(): boolean {
    for (const [topic, { live, next }] of this.#topics) {
      if (!live || next < this.#world.topics.of(topic).length) return false;
    }
    return true;
  }

  #connect(): void {
    const { world, random } = { world: this.#world, random: this.#random };
    const process = world.processFor(random);
    if (process === undefined) {
      world.simulator.after(random.between(50, 500), () => this.#connect());
      return;
    }
    process.transport.connect(
      {
        opened: (side) => {
          this.#side = side;
          for (const [topic, { position }] of this.#topics) this.#subscribe(topic, position);
        },
        message: (text) => world.guard(() => this.#take(JSON.parse(text) as Told)),
        closed: (code, reason) => this.#closed(code, reason),
      },
      random,
    );
  }

  #subscribe(topic: string, after: number | undefined): void {
    this.#side?.send({ subscribe: after === undefined ? { topic } : { topic, after } });
  }

  #closed(code: number, reason: string): void {
    this.#side = undefined;
    this.#world.trace(`${this.#name} closed ${code} ${reason}`);
    const { after } = (reason === '' ? {} : JSON.parse(reason)) as { after?: number };
    for (const watched of this.#topics.values()) {
      // What the door says holds for topics that were live.
      if (after !== undefined && watched.live && watched.position !== undefined) {
        watched.position = Math.max(watched.position, after);
      }
      watched.live = false;
    }
    for (const [topic, watched] of this.#topics) this.#forget(topic, watched);
    this.#world.simulator.after(this.#random.between(1, 300), () => this.#connect());
  }

  /** An app that was started anew knows nothing, or only what it had written down: any event that it was sent. */
  #forget(topic: string, watched: Watched): void {
    const what = this.#random.weighted({ nothing: 5, everything: 3, 'the newest': 2 });
    if (what === 'everything') watched.position = undefined;
    if (what !== 'the newest' || watched.position === undefined) return;
    const last = watched.next - this.#random.whole(1, 5);
    const event = this.#world.topics.of(topic)[last];
    if (event === undefined) return;
    Object.assign(watched, { position: event.position, next: last + 1 });
  }

  #take(told: Told): void {
    if (told.unit !== undefined) this.#takeUnit(told.unit);
    else if (told.snapshot !== undefined) this.#takeSnapshot(told.snapshot);
    else if (told.live !== undefined) this.#takeLive(told.live);
    else if (told.error !== undefined) {
      const { code, topic = '' } = told.error;
      check(code === 'Unavailable', '8 stream', () => `${this.#name} was told ${code} of ${topic}`);
      const side = this.#side;
      this.#world.simulator.after(100, () => {
        // Whoever came back meanwhile has asked for all topics.
        if (side === this.#side) this.#subscribe(topic, this.#watched(topic).position);
      });
    }
  }

  #watched(topic: string): Watched {
    const watched = this.#topics.get(topic);
    check(watched !== undefined, '8 stream', () => `${this.#name} does not watch ${topic}`);
    return watched;
  }

  #takeSnapshot({ topic, position, version, state }: Required<Told>['snapshot']): void {
    const watched = this.#watched(topic);
    const events = this.#world.topics.of(topic);
    watched.next = this.#world.topics.after(topic, position);
    check(
      version === watched.next,
      '8 snapshot',
      () => `${topic} up to ${position} is of version ${watched.next}, not ${version}`,
    );
    if (version === 0) check(state === null, '8 snapshot', () => `${topic} is not there, and has a state`);
    else
      this.#world.oracle.shownOnTopic(
        topic,
        state ?? {},
        events.slice(0, version).map(({ data }) => data),
      );
    Object.assign(watched, { position, live: true });
    this.#world.trace(`${this.#name} has ${topic} at ${position}`);
  }

  #takeLive({ topic, position }: Required<Told>['live']): void {
    const watched = this.#watched(topic);
    const upTo = this.#world.topics.after(topic, position);
    if (watched.position === undefined) watched.next = upTo;
    check(
      watched.next >= upTo,
      '8 missing',
      () => `${this.#name} is live on ${topic} at ${position} and lacks an event before`,
    );
    Object.assign(watched, { position: Math.max(position, watched.position ?? 0), live: true });
    this.#world.trace(`${this.#name} is live on ${topic} at ${position}`);
  }

  #takeUnit({ topic, position, events }: Required<Told>['unit']): void {
    const watched = this.#watched(topic);
    for (const event of events) {
      const next = this.#world.topics.of(topic)[watched.next];
      const due = next && `${next.position} ${next.version} ${next.type} ${JSON.stringify(next.data)}`;
      const came = `${event.position} ${event.version} ${event.type} ${JSON.stringify(event.data)}`;
      check(
        due === came,
        '8 order',
        () => `${this.#name} was sent ${came} on ${topic}, and ${due ?? 'nothing'} was due`,
      );
      watched.next += 1;
    }
    check(
      watched.position !== undefined && position > watched.position,
      '8 order',
      () => `${topic} goes back to ${position}`,
    );
    watched.position = position;
    this.#world.trace(`${this.#name} was sent ${topic} up to ${position}`);
  }
}
