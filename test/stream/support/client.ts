import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';

/** What a unit was on a topic, as a client gets it. */
export interface ReceivedUnit {
  readonly topic: string;
  readonly position: number;
  readonly at: string;
  readonly effectiveAt?: string;
  readonly correlationId: string;
  readonly events: readonly ReceivedEvent[];
}
export interface ReceivedEvent {
  readonly position: number;
  readonly version: number;
  readonly type: string;
  readonly status?: string;
  readonly paymentId?: string;
  readonly accountId?: string;
  readonly payoutId?: string;
  readonly connectorId?: string;
  readonly data: Readonly<Record<string, unknown>>;
}
export interface ReceivedSnapshot {
  readonly topic: string;
  readonly position: number;
  readonly version: number;
  readonly state: Readonly<Record<string, unknown>> | null;
}
export interface Received {
  readonly hello?: { readonly protocol: number; readonly position: number; readonly tokenExpiresAt: string };
  readonly unit?: ReceivedUnit;
  readonly snapshot?: ReceivedSnapshot;
  readonly live?: { readonly topic: string; readonly position: number };
  readonly unsubscribed?: { readonly topic: string };
  readonly pong?: string | number | null;
  readonly refreshed?: { readonly tokenExpiresAt: string };
  readonly error?: { readonly code: string; readonly message: string; readonly topic?: string };
}

export interface ConnectOptions extends ClientOptions {
  readonly token?: string;
  readonly device?: string;
  readonly forwardedFor?: string;
  readonly protocols?: string[];
}

/** A client of the stream door on a real socket. */
export class StreamClient {
  readonly socket: WebSocket;
  readonly received: Received[] = [];
  /** Resolves when the connection is closed, by whom ever. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #units = new Map<string, ReceivedUnit[]>();
  readonly #events = new Map<string, ReceivedEvent[]>();
  #waiting: (() => void)[] = [];

  constructor(port: number, options: ConnectOptions = {}, path = '/stream') {
    const { token = 'good', device = '', forwardedFor = '', protocols = [], ...rest } = options;
    const headers = {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(device !== '' && { 'kora-device': device }),
      ...(forwardedFor !== '' && { 'x-forwarded-for': forwardedFor }),
    };
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers, ...rest });
    this.socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Received;
      this.received.push(message);
      if (message.unit !== undefined) {
        this.units(message.unit.topic).push(message.unit);
        this.events(message.unit.topic).push(...message.unit.events);
      }
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
    this.socket.on('error', () => undefined);
  }

  static async connect(port: number, options: ConnectOptions = {}): Promise<StreamClient> {
    const client = new StreamClient(port, options);
    await client.first((message) => message.hello);
    return client;
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  subscribe(topic: string, after?: number): void {
    this.send({ subscribe: after === undefined ? { topic } : { topic, after } });
  }

  /** Subscribes and waits for the snapshot. */
  async snapshot(topic: string): Promise<ReceivedSnapshot> {
    this.subscribe(topic);
    return this.first(({ snapshot }) => (snapshot?.topic === topic ? snapshot : undefined));
  }

  /** Subscribes and waits until it has caught up. */
  async live(topic: string, after?: number): Promise<number> {
    this.subscribe(topic, after);
    const { position } = await this.first(({ live }) => (live?.topic === topic ? live : undefined));
    return position;
  }

  /** What the first message that has it says; waits for it. Fails when the connection closes before. */
  async first<Found>(find: (message: Received) => Found | undefined): Promise<Found> {
    for (let seen = 0; ;) {
      for (; seen < this.received.length; seen++) {
        const found = find(this.received[seen] as Received);
        if (found !== undefined) return found;
      }
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('the connection closed before');
      await this.changed();
    }
  }

  /** Waits until the client has what it needs. */
  async until(satisfied: () => boolean): Promise<void> {
    while (!satisfied()) {
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('the connection closed before');
      await this.changed();
    }
  }

  units(topic: string): ReceivedUnit[] {
    return listIn(this.#units, topic);
  }

  events(topic: string): ReceivedEvent[] {
    return listIn(this.#events, topic);
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.close();
    await once(this.socket, 'close');
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function listIn<Item>(lists: Map<string, Item[]>, topic: string): Item[] {
  let list = lists.get(topic);
  if (list === undefined) lists.set(topic, (list = []));
  return list;
}
