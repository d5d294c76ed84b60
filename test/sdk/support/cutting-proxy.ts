import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/**
 * When a connection is cut, seen from the request that it carries. `request`: before the request has reached the door, which
 * never hears of it. `answer`: the door has carried it out and answered, and nothing of the answer arrives. `half answer`: the
 * beginning of it arrives. `silence`: nothing of it arrives, and the connection stays.
 */
export type Moment = 'request' | 'answer' | 'half answer' | 'silence';

interface Cut {
  readonly moment: Moment | { readonly answer: string };
  /** Part of the request's first bytes: `POST /v1/payments `. */
  readonly request: string;
}

/** Stands between a client and a door, on a port that stays while the door comes and goes, and cuts connections when told. */
export class CuttingProxy {
  /** Where the door is now. */
  target = 0;
  /** How often each cut that was asked for has happened. */
  cuts = 0;
  /** Requests that reached the door: first lines, in order. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #armed: Cut[] = [];
  readonly #lasting = new Set<Cut>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<CuttingProxy> {
    const server = createServer((socket) => proxy.#carry(socket));
    const proxy = new CuttingProxy(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Cuts the connection of the next request like this, once. Several are used in turn. */
  cutNext(request: string, moment: Moment): void {
    this.#armed.push({ request, moment });
  }

  /** Cuts the connection of every request like this, until it is told to stop: browsers send some again by themselves. */
  cutEvery(request: string, moment: Moment): { readonly stop: () => void } {
    const cut = { request, moment };
    this.#armed.push(cut);
    this.#lasting.add(cut);
    return {
      stop: () => {
        this.#armed = this.#armed.filter((one) => one !== cut);
      },
    };
  }

  /** Answers the next request like this itself, as gateways do, and closes; the door never hears of it. */
  answerNext(request: string, answer: string): void {
    this.#armed.push({ request, moment: { answer } });
  }

  /** From now on nothing passes on what is connected now, and nobody is told: as when a telephone leaves the network. */
  fallSilent(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.removeAllListeners('data').resume();
  }

  /** Cuts what is connected now. */
  cutAll(): void {
    for (const [client, door] of this.#pairs) {
      client.resetAndDestroy();
      door.destroy();
    }
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cutAll();
    await once(this.#server, 'close');
  }

  #carry(client: Socket): void {
    const door = connect(this.target, '127.0.0.1');
    const pair = [client, door] as const;
    this.#pairs.add(pair);
    let waiting: Cut | undefined;
    const cut = (): void => {
      this.cuts += 1;
      client.resetAndDestroy();
      door.destroy();
    };
    client.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      const found = this.#armed.find(({ request }) => text.startsWith(request));
      if (found !== undefined && !this.#lasting.has(found)) this.#armed = this.#armed.filter((one) => one !== found);
      if (found?.moment === 'request') {
        cut();
        return;
      }
      if (typeof found?.moment === 'object') {
        client.end(found.moment.answer);
        this.cuts += 1;
        door.destroy();
        return;
      }
      waiting ??= found;
      const [line = ''] = text.split('\r\n', 1);
      if (line.endsWith(' HTTP/1.1')) this.requests.push(line.slice(0, -' HTTP/1.1'.length));
      door.write(bytes);
    });
    door.on('data', (bytes) => {
      if (waiting === undefined) {
        client.write(bytes);
        return;
      }
      if (waiting.moment === 'half answer') {
        // In good order, so that what was written arrives: a reset would overtake it.
        client.end(bytes.subarray(0, 40));
        this.cuts += 1;
        door.destroy();
      } else if (waiting.moment === 'answer') cut();
      else this.cuts += 1;
      if (waiting.moment !== 'silence') waiting = undefined;
    });
    for (const [socket, other] of [pair, [door, client] as const]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#pairs.delete(pair);
        other.end();
      });
    }
  }
}
