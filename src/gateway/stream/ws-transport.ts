import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { notHere, type Admission, type ConnectRequest, type Transport, type TransportOptions } from './transport.ts';
import { WsConnection } from './ws-connection.ts';

/** A client that has not sent the whole of its request by then is cut off. */
const requestTimeoutMs = 10_000;
/** As much of it is read. */
const headersBytesMax = 16_384;

/** The transport on `ws`, for where uWebSockets cannot be loaded. Rejects when the address cannot be listened on. */
export function listenWithWs(options: TransportOptions): Promise<Transport> {
  const server = createServer(
    {
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: requestTimeoutMs / 5,
      maxHeaderSize: headersBytesMax,
    },
    (_, res) => {
      const { status, body } = notHere(options.path);
      res.writeHead(Number.parseInt(status, 10), { 'content-type': 'application/json', connection: 'close' });
      res.end(JSON.stringify(body));
    },
  );
  const sockets = new Sockets(options);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void sockets.upgrade(request, socket, head);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port, exclusive: true }, () => {
      server.off('error', reject);
      resolve(transportOf(server, sockets));
    });
  });
}

function transportOf(server: Server, sockets: Sockets): Transport {
  const { port } = server.address() as AddressInfo;
  return {
    port,
    // Those that were upgraded are no connections of the HTTP server any more.
    stopListening: () => void server.close(),
    close() {
      server.close();
      server.closeAllConnections();
      sockets.close();
    },
  };
}

/** Everything that was asked to be upgraded: on its way, open, or closing. */
class Sockets {
  readonly #options: TransportOptions;
  readonly #server: WebSocketServer;
  readonly #protocols = new WeakMap<IncomingMessage, string>();
  readonly #raw = new Set<Duplex>();
  readonly #connections = new Set<WsConnection>();
  readonly #sweeping: NodeJS.Timeout;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.messageBytesMax,
      handleProtocols: (_, request) => this.#protocols.get(request) ?? false,
    });
    this.#sweeping = setInterval(() => this.#sweep(), Math.max(500, options.idleTimeoutMs / 8));
    this.#sweeping.unref();
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.#raw.add(socket);
    socket.once('close', () => this.#raw.delete(socket));
    // Without a listener, a client that breaks off would end the process.
    socket.on('error', () => undefined);
    const [path] = (request.url ?? '').split('?', 1);
    const admission =
      path === this.#options.path ? await this.#options.admit(connectRequestOf(request)) : notHere(this.#options.path);
    if (!admission.ok) refuse(socket, admission);
    else if (!this.#open(admission, request, socket, head)) admission.abandoned();
  }

  /** False where it did not come to a connection; then the client has its answer, or is gone. */
  #open(admission: Admission & { ok: true }, request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (socket.destroyed || !socket.writable) return false;
    let opened = false;
    if (admission.protocol !== '') this.#protocols.set(request, admission.protocol);
    // What is no handshake it answers by itself with 400. It calls back before it returns.
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      opened = true;
      const connection = new WsConnection(ws, socket, this.#options);
      this.#connections.add(connection);
      ws.once('close', () => this.#connections.delete(connection));
      connection.begin((opening) => admission.open(opening));
    });
    return opened;
  }

  #sweep(): void {
    const now = performance.now();
    for (const connection of this.#connections) connection.sweep(now);
  }

  close(): void {
    clearInterval(this.#sweeping);
    for (const connection of this.#connections) connection.cut();
    for (const socket of this.#raw) socket.destroy();
  }
}

function connectRequestOf({ headers, socket }: IncomingMessage): ConnectRequest {
  const device = headers['kora-device'];
  // Node joins them with commas when there are more.
  const forwardedFor = headers['x-forwarded-for'] ?? '';
  return {
    authorization: headers.authorization ?? '',
    protocols: headers['sec-websocket-protocol'] ?? '',
    origin: headers.origin ?? '',
    device: typeof device === 'string' ? device : '',
    address: socket.remoteAddress ?? '',
    forwardedFor: typeof forwardedFor === 'string' ? forwardedFor : forwardedFor.join(','),
  };
}

function refuse(socket: Duplex, { status, body }: Admission & { ok: false }): void {
  const text = JSON.stringify(body);
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n` +
      `connection: close\r\n\r\n${text}`,
  );
}
