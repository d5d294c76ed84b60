import WebSocket from 'ws';

interface WatchedEvent {
  readonly position: number;
  readonly version: number;
  readonly paymentId?: string;
  readonly accountId?: string;
  readonly type: string;
  readonly status?: string;
}
interface ServerMessage {
  readonly snapshot?: { readonly topic: string; readonly version: number };
  readonly live?: { readonly topic: string; readonly position: number };
  readonly unit?: { readonly topic: string; readonly position: number; readonly events: readonly WatchedEvent[] };
  readonly error?: { readonly code: string; readonly message: string };
}

/**
 * A WebSocket client that watches topics and believes nothing: positions must rise, and the versions of each payment or
 * account must follow one another without a gap or a repetition.
 */
export class Watcher {
  readonly problems: string[] = [];
  events = 0;
  /** Position up to which this client has everything. */
  position = 0;
  /** Position from which it watches a topic that has no snapshot. */
  since = 0;
  /** Called with each event of a payment. */
  onEvent: ((event: WatchedEvent) => void) | undefined;
  readonly #socket: WebSocket;
  readonly #versions = new Map<string, number>();
  readonly #positions = new Map<string, number>();
  readonly #ready: Promise<void>;

  constructor(url: string, token: string, topics: readonly string[]) {
    this.#socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    let waiting = topics.length;
    this.#ready = new Promise((resolve, reject) => {
      this.#socket.on('error', reject);
      this.#socket.on('open', () => {
        for (const topic of topics) this.#socket.send(JSON.stringify({ subscribe: { topic } }));
      });
      this.#socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as ServerMessage;
        if (message.snapshot !== undefined) {
          this.#versions.set(message.snapshot.topic, message.snapshot.version);
          if (--waiting === 0) resolve();
        }
        if (message.live !== undefined && !this.#versions.has(message.live.topic)) {
          this.since = message.live.position;
          if (--waiting === 0) resolve();
        }
        if (message.error !== undefined) this.problems.push(`${message.error.code}: ${message.error.message}`);
        if (message.unit !== undefined) this.#take(message.unit);
      });
    });
  }

  /** Resolves when every topic is subscribed. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Resolves when the condition holds; rejects when it does not within 30 s. */
  async until(condition: () => boolean): Promise<void> {
    const end = Date.now() + 30_000;
    while (!condition()) {
      if (Date.now() > end)
        throw new Error(`a watcher is stuck at position ${this.position}, after ${this.events} events`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  close(): void {
    this.#socket.close();
  }

  #take({ topic, position, events }: NonNullable<ServerMessage['unit']>): void {
    if (position <= (this.#positions.get(topic) ?? 0)) this.problems.push(`${topic}: ${position} came again`);
    this.#positions.set(topic, position);
    this.position = Math.max(this.position, position);
    for (const event of events) {
      this.events += 1;
      const whose = event.paymentId === undefined ? `account/${event.accountId ?? ''}` : `payment/${event.paymentId}`;
      const before = this.#versions.get(whose);
      if (before !== undefined && event.version !== before + 1) {
        this.problems.push(`${whose}: version ${event.version} came after ${before}`);
      }
      this.#versions.set(whose, event.version);
      this.onEvent?.(event);
    }
  }
}
