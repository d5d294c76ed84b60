import { connect, type Socket } from 'node:net';

/** How clients of one kind of server speak. */
export interface Dialect {
  readonly path: string;
  /** What is said first; undefined: nothing. */
  readonly opening: string | undefined;
  /** What is answered to a message of the server that is no event; undefined: nothing. */
  reply(message: string): string | undefined;
  /** The subscription is there: from now on come events. */
  isLive(message: string): boolean;
  /** Whether a message is an event, by its first bytes. */
  isEvent(bytes: Buffer, from: number): boolean;
  /** What an event says. */
  read(message: string): WatchedUnit;
}
export interface WatchedUnit {
  readonly topic: string;
  readonly position: number;
  readonly events: readonly { readonly version: number }[];
}

/** Read into by every socket in turn: what a callback leaves is kept by its socket. */
const shared = Buffer.allocUnsafe(1 << 20);
const empty = Buffer.alloc(0);

/**
 * A WebSocket client that does next to nothing: it finds the frames, and counts. A library would parse, copy and emit, and
 * the client's core would be full long before a good server's.
 */
export class WatchingSocket {
  readonly #socket: Socket;
  readonly #dialect: Dialect;
  readonly #onEvent: (index: number) => void;
  #left = empty;
  #upgraded = false;
  #live = (): void => undefined;
  #lost: (error: Error) => void;
  /** Events that came. */
  count = 0;
  /** Bytes of all their texts. */
  bytes = 0;
  /** The texts themselves, where they are to be kept. */
  readonly kept: string[] | undefined;
  /** Resolves when it is subscribed. */
  readonly live: Promise<void>;

  /** @param onEvent told of each event with its number on this socket, from 0 */
  constructor(
    port: number,
    dialect: Dialect,
    options: { readonly token: string; readonly keep: boolean; readonly onEvent: (index: number) => void },
  ) {
    this.#dialect = dialect;
    this.#onEvent = options.onEvent;
    this.kept = options.keep ? [] : undefined;
    this.#lost = () => undefined;
    this.live = new Promise((resolve, reject) => {
      this.#live = resolve;
      this.#lost = reject;
    });
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer: shared,
        callback: (length, buffer) => {
          this.#take(Buffer.from(buffer.buffer, buffer.byteOffset, length));
          return true;
        },
      },
    });
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error) => this.#lost(error));
    this.#socket.on('close', () => this.#lost(new Error('the connection broke')));
    const authorization = options.token === '' ? '' : `authorization: Bearer ${options.token}\r\n`;
    this.#socket.write(
      `GET ${dialect.path} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\n` +
        `sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n${authorization}\r\n`,
    );
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const bytes = this.#left.length === 0 ? chunk : Buffer.concat([this.#left, chunk]);
    let from = this.#upgraded ? 0 : this.#afterHandshake(bytes);
    for (;;) {
      const next = from < bytes.length && this.#upgraded ? this.#frame(bytes, from) : from;
      if (next === from) break;
      from = next;
    }
    // The shared buffer is written over: what is left is copied.
    this.#left = from === bytes.length ? empty : Buffer.from(bytes.subarray(from));
  }

  #afterHandshake(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return 0;
    const [status = ''] = bytes.toString('latin1', 0, end).split('\r\n', 1);
    if (!status.includes(' 101 ')) this.#lost(new Error(`not upgraded: ${status}`));
    this.#upgraded = true;
    if (this.#dialect.opening !== undefined) this.#socket.write(maskedFrame(Buffer.from(this.#dialect.opening), text));
    return end + 4;
  }

  /** Returns where the next frame begins; `from` when this one is not whole yet. */
  #frame(bytes: Buffer, from: number): number {
    if (bytes.length < from + 2) return from;
    const opcode = (bytes[from] ?? 0) & 0x0f;
    let length = bytes[from + 1] ?? 0;
    let begin = from + 2;
    if (length === 126) {
      if (bytes.length < from + 4) return from;
      length = bytes.readUInt16BE(from + 2);
      begin = from + 4;
    }
    if (length > 65_535 || length === 127) throw new Error('a message is longer than any should be');
    const end = begin + length;
    if (bytes.length < end) return from;
    if (opcode === 1 && this.#dialect.isEvent(bytes, begin)) {
      this.bytes += length;
      this.kept?.push(bytes.toString('utf8', begin, end));
      this.#onEvent(this.count++);
    } else if (opcode === 1) {
      this.#answer(bytes.toString('utf8', begin, end));
    } else if (opcode === 8) {
      const code = length < 2 ? 'without a code' : `with ${bytes.readUInt16BE(begin)}`;
      this.#lost(new Error(`the server closed ${code} ${bytes.toString('utf8', begin + 2, end)}`));
    } else if (opcode === 9) {
      // A server takes one that does not answer its pings for gone.
      this.#socket.write(maskedFrame(bytes.subarray(begin, end), pong));
    }
    return end;
  }

  #answer(message: string): void {
    if (this.#dialect.isLive(message)) this.#live();
    const reply = this.#dialect.reply(message);
    if (reply !== undefined) this.#socket.write(maskedFrame(Buffer.from(reply), text));
  }
}

/** First bytes of whole frames: FIN and the opcode (RFC 6455, section 5.2). */
const text = 0x81;
const pong = 0x8a;

/** A frame of up to 125 bytes as a client must send it (RFC 6455, section 5.3). The mask may be all zeros. */
function maskedFrame(body: Buffer, first: number): Buffer {
  return Buffer.concat([Buffer.from([first, 0x80 | body.length, 0, 0, 0, 0]), body]);
}
