import { connect, type Socket } from 'node:net';
import { currency, type P2p } from '../load/p2p.ts';
import { walletId } from '../core/kora.ts';

export interface Answer {
  readonly status: number;
  readonly paymentId: string | undefined;
  readonly paymentStatus: string | undefined;
}

/** As many as the pool of a back end might have. Calls that find none free wait for one, and that is part of their time. */
const connectionsMax = 256;

/**
 * Calls the http door over connections that stay open, as a back end does: one call at a time on each, and a new one when
 * all are at work. Node's own client takes as much processor as the door does; this one only finds where an answer ends.
 */
export class HttpClient {
  readonly #port: number;
  readonly #head: string;
  readonly #idle: HttpConnection[] = [];
  readonly #all: HttpConnection[] = [];
  #waiting: ((connection: HttpConnection) => void)[] = [];
  #nextWaiting = 0;

  constructor({ httpPort, token }: { readonly httpPort: number; readonly token: string }) {
    this.#port = httpPort;
    this.#head =
      `POST /v1/payments HTTP/1.1\r\nhost: 127.0.0.1:${httpPort}\r\nauthorization: Bearer ${token}\r\n` +
      `content-type: application/json\r\n`;
  }

  /** Connections that were ever needed. */
  get connections(): number {
    return this.#all.length;
  }

  async pay({ payer, payee, amount, key }: P2p): Promise<Answer> {
    // All of it is ASCII: as many bytes as characters.
    const body = JSON.stringify({
      kind: 'P2P',
      amount: String(amount),
      currency,
      payer: walletId(payer),
      payee: walletId(payee),
    });
    const text = `${this.#head}idempotency-key: ${key}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const connection = this.#idle.pop() ?? (await this.#another());
    const { status, body: answer } = await connection.call(text);
    this.#free(connection);
    const { paymentId, status: paymentStatus } = JSON.parse(answer) as {
      readonly paymentId?: string;
      readonly status?: string;
    };
    return { status, paymentId, paymentStatus };
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #another(): HttpConnection | Promise<HttpConnection> {
    if (this.#all.length >= connectionsMax) return new Promise((resolve) => this.#waiting.push(resolve));
    const connection = new HttpConnection(this.#port);
    this.#all.push(connection);
    return connection;
  }

  #free(connection: HttpConnection): void {
    const next = this.#waiting[this.#nextWaiting];
    if (next === undefined) {
      this.#waiting = [];
      this.#nextWaiting = 0;
      this.#idle.push(connection);
    } else {
      this.#nextWaiting += 1;
      next(connection);
    }
  }
}

interface Whole {
  readonly status: number;
  readonly body: string;
}

class HttpConnection {
  readonly #socket: Socket;
  #received = '';
  #answered: (answer: Whole) => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#take(text));
    this.#socket.on('error', (error) => this.#failed(error));
    this.#socket.on('close', () => this.#failed(new Error('the connection closed before the answer')));
  }

  call(text: string): Promise<Whole> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(text, 'latin1');
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1];
    if (length === undefined) {
      this.#failed(new Error(`an answer without a length: ${this.#received.slice(0, 100)}`));
      return;
    }
    const whole = end + 4 + Number(length);
    if (this.#received.length < whole) return;
    const answer = { status: Number(this.#received.slice(9, 12)), body: this.#received.slice(end + 4, whole) };
    this.#received = '';
    this.#answered(answer);
  }
}
