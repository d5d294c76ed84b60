import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Received {
  readonly path: string;
  readonly body: string;
  readonly signature: string;
  readonly headers: IncomingMessage['headers'];
  readonly event: {
    readonly id: string;
    readonly type: string;
    readonly subject: string;
    readonly sequence: number;
    readonly data: Readonly<Record<string, unknown>>;
  };
}

/** What is answered: a status; or nothing, and the connection is cut. */
export type Reply = number | 'cut' | { readonly status: number; readonly headers: Readonly<Record<string, string>> };

/** A real server that deliveries are sent to. It keeps what it got, also what it did not take. */
export class Receiver {
  readonly received: Received[] = [];
  /** Those that were answered 2xx. */
  readonly taken: Received[] = [];
  readonly #server: Server;
  /** Decides on each; 200 by default. */
  reply: (received: Received) => Reply | Promise<Reply>;

  constructor(reply: Receiver['reply'] = () => 200) {
    this.reply = reply;
    this.#server = createServer((request, response) => {
      void (async () => {
        const body = await text(request);
        const received: Received = {
          path: request.url ?? '',
          body,
          signature: String(request.headers['kora-signature']),
          headers: request.headers,
          event: JSON.parse(body) as Received['event'],
        };
        this.received.push(received);
        const reply = await this.reply(received);
        if (reply === 'cut') {
          request.socket.destroy();
          return;
        }
        const { status, headers } = typeof reply === 'number' ? { status: reply, headers: {} } : reply;
        if (status >= 200 && status < 300) this.taken.push(received);
        response.writeHead(status, headers).end('some answer');
      })();
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
