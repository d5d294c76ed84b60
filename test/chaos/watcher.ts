import { WebSocket } from 'ws';
import type { Seeded } from '../../bench/load/seeded.ts';
import type { Received } from '../stream/support/client.ts';
import { type Expected, seen } from '../stream/support/oracle.ts';
import type { Watched } from './check.ts';

interface Kept {
  /** Where the client is on this topic; undefined before it knows. */
  position: number | undefined;
  /** What it began after. */
  after: number;
  /** It has caught up on this connection. */
  live: boolean;
  readonly events: Expected[];
}

/** A connection that says nothing for so long is given up: its process may be stopped. */
const silenceMs = 4_000;
const pingMs = 1_000;

/** Closings after which a client that does as it is told comes back; others say that it, or the door, is wrong. */
const expectedEndings = [1001, 1006, 4008];

/**
 * A client as docs/stream.md tells people to write it: it keeps a position for each topic, and when its process is gone,
 * or says nothing any more, it goes on at another one.
 */
export class Watcher {
  readonly name: string;
  /** What a door said that it should not have said. */
  readonly complaints: string[] = [];
  /** How often it had to come back. */
  reconnects = -1;
  readonly #topics: ReadonlyMap<string, Kept>;
  readonly #token: string;
  readonly #addresses: () => readonly string[];
  readonly #random: Seeded;
  #socket: WebSocket | undefined;
  #heardAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** @param topics each with the position that it begins after; undefined: with a snapshot, or from now */
  constructor(options: {
    readonly name: string;
    readonly topics: Readonly<Record<string, number | undefined>>;
    readonly token: string;
    readonly addresses: () => readonly string[];
    readonly random: Seeded;
  }) {
    this.name = options.name;
    this.#topics = new Map(
      Object.entries(options.topics).map(([topic, position]) => [
        topic,
        { position, after: position ?? 0, live: false, events: [] },
      ]),
    );
    this.#token = options.token;
    this.#addresses = options.addresses;
    this.#random = options.random;
  }

  begin(): void {
    this.#connect();
    this.#timer = setInterval(() => this.#beat(), pingMs);
  }

  end(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#socket?.terminate();
  }

  /** Whether it has had everything of its topics up to there. */
  hasSeen(lastOf: (topic: string) => number): boolean {
    return [...this.#topics].every(([topic, { position, live }]) => live && (position ?? -1) >= lastOf(topic));
  }

  get watched(): Watched[] {
    return [...this.#topics].map(([topic, { after, events }]) => ({ watcher: this.name, topic, after, events }));
  }

  #connect(): void {
    if (this.#ended) return;
    this.reconnects += 1;
    const addresses = this.#addresses();
    const address = addresses[this.#random.below(addresses.length)];
    if (address === undefined) {
      setTimeout(() => this.#connect(), 100);
      return;
    }
    const socket = new WebSocket(address, { headers: { authorization: `Bearer ${this.#token}` } });
    this.#socket = socket;
    this.#heardAt = performance.now();
    for (const kept of this.#topics.values()) kept.live = false;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      // What a connection says that was given up has never come.
      if (this.#socket === socket) this.#take(JSON.parse(data.toString()) as Received);
    });
    socket.on('close', (code, reason) => {
      if (this.#socket === socket) this.#gone(code, reason.toString());
    });
  }

  #beat(): void {
    if (performance.now() - this.#heardAt > silenceMs) {
      const silent = this.#socket;
      this.#socket = undefined;
      silent?.terminate();
      this.#connect();
    } else if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  #gone(code: number, reason: string): void {
    this.#socket = undefined;
    if (!expectedEndings.includes(code)) this.complaints.push(`${this.name} was closed with ${code}: ${reason}`);
    if (reason.startsWith('{')) {
      const { after } = JSON.parse(reason) as { readonly after?: number };
      for (const kept of this.#topics.values()) {
        if (kept.live && after !== undefined) kept.position = Math.max(kept.position ?? 0, after);
      }
    }
    setTimeout(() => this.#connect(), 50 + this.#random.below(100));
  }

  #take({ hello, unit, snapshot, live, error }: Received): void {
    this.#heardAt = performance.now();
    if (hello !== undefined) for (const [topic, { position }] of this.#topics) this.#subscribe(topic, position);
    if (error !== undefined) {
      this.#complain(error);
      return;
    }
    const told = unit ?? snapshot ?? live;
    const kept = this.#topics.get(told?.topic ?? '');
    if (told === undefined || kept === undefined) return;
    if (unit === undefined) {
      // It began without a position: what it has to see is what comes after the first one that it was told.
      if (kept.position === undefined) kept.after = told.position;
      kept.live = true;
    } else kept.events.push(...seen(unit.events));
    kept.position = Math.max(kept.position ?? 0, told.position);
  }

  #subscribe(topic: string, after: number | undefined): void {
    this.#socket?.send(JSON.stringify({ subscribe: after === undefined ? { topic } : { topic, after } }));
  }

  #complain({ code, message, topic }: NonNullable<Received['error']>): void {
    if (code !== 'Unavailable' || topic === undefined) {
      this.complaints.push(`${this.name} was told ${code}: ${message}`);
      return;
    }
    const socket = this.#socket;
    setTimeout(() => {
      if (this.#socket === socket) this.#subscribe(topic, this.#topics.get(topic)?.position);
    }, 200);
  }
}
