import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Connection, ConnectionHandlers, TransportOptions } from './transport.ts';

const asText = { binary: false, compress: false, fin: true } as const;

/** One connection on `ws`. */
export class WsConnection implements Connection {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #options: Pick<TransportOptions, 'bufferedBytesMax' | 'idleTimeoutMs'>;
  #handlers: ConnectionHandlers | undefined;
  #heardAt = performance.now();
  #pingedAt = 0;
  /** What was waiting for the client when it was last looked at. */
  #backlog = 0;
  /** More was waiting than it may be. */
  #lost = false;
  readonly #drained = (): void => this.#handlers?.drained();

  constructor(ws: WebSocket, socket: Duplex, options: Pick<TransportOptions, 'bufferedBytesMax' | 'idleTimeoutMs'>) {
    this.#ws = ws;
    this.#socket = socket;
    this.#options = options;
  }

  begin(open: (connection: Connection) => ConnectionHandlers): void {
    this.#handlers = open(this);
    const heard = (): void => void (this.#heardAt = performance.now());
    const control = (): void => {
      heard();
      this.#handlers?.control();
    };
    this.#ws.on('message', (data, isBinary) => {
      heard();
      // One Buffer, as long as `binaryType` is what it is by default.
      this.#handlers?.message(data as Buffer, isBinary);
    });
    this.#ws.on('ping', control);
    this.#ws.on('pong', control);
    this.#ws.on('close', () => this.#closed());
    // What breaks the protocol is closed by `ws` itself.
    this.#ws.on('error', () => undefined);
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  send(texts: readonly Uint8Array[]): number {
    let taken = 0;
    // Corked: many texts, one write.
    this.#socket.cork();
    for (const text of texts) {
      this.#lost ||= this.#ws.bufferedAmount > this.#options.bufferedBytesMax;
      if (this.#lost) break;
      taken += 1;
      // What is sent together is also gone together.
      if (taken < texts.length) this.#ws.send(text, asText);
      else this.#ws.send(text, asText, this.#drained);
    }
    this.#socket.uncork();
    return taken;
  }

  close(code: number, reason: string): void {
    if (this.#lost) this.cut();
    else this.#ws.close(code, reason);
    this.#closed();
  }

  cut(): void {
    this.#ws.terminate();
  }

  /** Sends a ping in time, and cuts off a client that is silent and takes nothing of what is waiting for it. */
  sweep(now: number): void {
    const backlog = this.#ws.bufferedAmount;
    if (backlog < this.#backlog) this.#heardAt = now;
    this.#backlog = backlog;
    const silentMs = now - this.#heardAt;
    if (silentMs >= this.#options.idleTimeoutMs) this.cut();
    else if (silentMs >= this.#options.idleTimeoutMs / 2 && this.#pingedAt < this.#heardAt) {
      this.#pingedAt = now;
      if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
    }
  }

  #closed(): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.closed();
  }
}
