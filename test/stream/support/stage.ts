import { afterEach, beforeEach } from 'vitest';
import { MemoryLog } from '../../../eventstore/index.ts';
import type { StreamDoor, StreamLimits } from '../../../src/gateway/stream/index.ts';
import { StreamClient, type ConnectOptions } from './client.ts';
import { openDoor, openDoorToReopen, type DoorOptions, type TransportName } from './door.ts';
import { KnownTokens } from './tokens.ts';

/** A log, a door on it and its clients, for one test. */
export class Stage {
  readonly log = new MemoryLog();
  readonly tokens = new KnownTokens();
  readonly #transport: TransportName;
  readonly #doors: StreamDoor[] = [];
  readonly #clients: StreamClient[] = [];

  constructor(transport: TransportName) {
    this.#transport = transport;
  }

  get door(): StreamDoor {
    const door = this.#doors.at(-1);
    if (door === undefined) throw new Error('no door was opened');
    return door;
  }

  get sessions(): number {
    return this.door.feed.store.getSnapshot().context.sessions;
  }

  /** Opens a door; the newest one is `door`. */
  async open(limits: Partial<StreamLimits> = {}, options: DoorOptions = {}): Promise<StreamDoor> {
    const ours = { transport: this.#transport, authenticator: this.tokens };
    const door = await openDoor(this.log, limits, { ...ours, ...options });
    this.#doors.push(door);
    return door;
  }

  /** Opens a door on a port that will still be free when it is opened again. */
  async openToReopen(): Promise<StreamDoor> {
    const door = await openDoorToReopen(this.log, { transport: this.#transport, authenticator: this.tokens });
    this.#doors.push(door);
    return door;
  }

  async connect(options: ConnectOptions = {}): Promise<StreamClient> {
    const client = await StreamClient.connect(this.door.port, options);
    this.#clients.push(client);
    return client;
  }

  /** With what the door refuses to upgrade; fails when it does not. */
  refusal(options: ConnectOptions = {}, path = '/stream'): Promise<{ status: number | undefined; code: unknown }> {
    const client = new StreamClient(this.door.port, options, path);
    return new Promise((resolve, reject) => {
      client.socket.on('open', () => {
        client.socket.terminate();
        reject(new Error('it was not refused'));
      });
      client.socket.on('unexpected-response', (request, response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          request.destroy();
          const body = JSON.parse(Buffer.concat(chunks).toString()) as { code?: unknown };
          resolve({ status: response.statusCode, code: body.code });
        });
      });
    });
  }

  /** Waits until the door has so many sessions. */
  async untilSessions(count: number): Promise<void> {
    while (this.sessions !== count) await new Promise((resolve) => setImmediate(resolve));
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.#doors.map((door) => door.close()));
  }
}

/** Sets a stage before each test, and clears it after. */
export function staged(transport: TransportName = 'uws'): () => Stage {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage(transport);
  });
  afterEach(() => stage.close());
  return () => stage;
}

/** The codes of the errors that a client was told. */
export function errorsOf(client: StreamClient): string[] {
  return client.received.flatMap(({ error }) => (error === undefined ? [] : [error.code]));
}
