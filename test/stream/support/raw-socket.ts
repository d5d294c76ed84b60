import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A TCP connection to the door, for clients that no WebSocket library would be. */
export class RawSocket {
  readonly socket: Socket;
  readonly #received: Buffer[] = [];
  /** Resolves when the connection is over, in whatever way. */
  readonly closed: Promise<void>;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.socket.on('data', (data: Buffer) => this.#received.push(data));
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  /** Connects, and shakes hands as it should be. */
  static async upgraded(port: number): Promise<RawSocket> {
    const raw = new RawSocket(port);
    raw.socket.write(
      'GET /stream HTTP/1.1\r\nhost: kora\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n' +
        'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer good\r\n\r\n',
    );
    while (!raw.text.includes('"hello"')) await once(raw.socket, 'data');
    return raw;
  }

  get text(): string {
    return Buffer.concat(this.#received).toString('latin1');
  }
}

/** A frame of a client (RFC 6455, section 5.2), right or wrong in whatever is said otherwise. */
export function frame(
  payload: Buffer | string,
  { opcode = 1, fin = true, masked = true, reserved = 0 }: FrameOptions = {},
): Buffer {
  const body = Buffer.from(payload);
  if (body.length > 125) throw new RangeError('short ones only');
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  if (!masked) return Buffer.concat([Buffer.from([first, body.length]), body]);
  const mask = Buffer.from([1, 2, 3, 4]);
  const hidden = body.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([first, 0x80 | body.length]), mask, hidden]);
}

interface FrameOptions {
  readonly opcode?: number;
  readonly fin?: boolean;
  readonly masked?: boolean;
  readonly reserved?: number;
}
