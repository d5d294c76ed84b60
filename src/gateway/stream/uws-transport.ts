import { createServer } from 'node:net';
import * as uWS from 'uWebSockets.js';
import {
  notHere,
  type Admission,
  type Connection,
  type ConnectionHandlers,
  type Transport,
  type TransportOptions,
} from './transport.ts';

/** What uWebSockets' `send` answers when it took nothing. */
const DROPPED = 2;
/** LIBUS_LISTEN_EXCLUSIVE_PORT. By default several processes share a port, and the kernel deals out their clients. */
const EXCLUSIVE_PORT = 1;
/** The overload with all four is there, but not in the types. */
type Listen = (
  host: string,
  port: number,
  options: number,
  listening: (socket: uWS.us_listen_socket | false) => void,
) => void;

interface Client {
  readonly admission: Admission & { ok: true };
  handlers?: ConnectionHandlers;
}

/** The transport on uWebSockets.js. Rejects when the address cannot be listened on. */
export function listenWithUws(options: TransportOptions): Promise<Transport> {
  const app = uWS.App();
  app.ws<Client>(options.path, {
    maxPayloadLength: options.messageBytesMax,
    maxBackpressure: options.bufferedBytesMax,
    // Its own rule is to skip what does not fit, without a word.
    closeOnBackpressureLimit: true,
    idleTimeout: Math.min(960, Math.max(8, Math.ceil(options.idleTimeoutMs / 1000))),
    sendPingsAutomatically: true,
    upgrade: (res, req, context) => upgrade(options, res, req, context),
    open: (ws) => {
      const client = ws.getUserData();
      client.handlers = client.admission.open(new UwsConnection(ws));
    },
    message: (ws, bytes, isBinary) => ws.getUserData().handlers?.message(Buffer.from(bytes), isBinary),
    ping: (ws) => ws.getUserData().handlers?.control(),
    pong: (ws) => ws.getUserData().handlers?.control(),
    drain: (ws) => ws.getUserData().handlers?.drained(),
    close: (ws) => ws.getUserData().handlers?.closed(),
  });
  app.any('/*', (res) => {
    refuse(res, notHere(options.path));
  });
  return new Promise((resolve, reject) => {
    (app.listen.bind(app) as unknown as Listen)(options.host, options.port, EXCLUSIVE_PORT, (socket) => {
      if (socket === false) void whyNot(options).then(reject);
      else resolve(transportOf(app, socket));
    });
  });
}

/** uWebSockets does not say why it cannot listen, so Node is asked to try. */
function whyNot({ host, port }: TransportOptions): Promise<Error> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => resolve(new Error(`uWebSockets cannot listen on ${host}:${port}`)));
    });
  });
}

function transportOf(app: uWS.TemplatedApp, socket: uWS.us_listen_socket): Transport {
  let listening = true;
  const stopListening = (): void => {
    if (listening) uWS.us_listen_socket_close(socket);
    listening = false;
  };
  return {
    port: uWS.us_socket_local_port(socket),
    stopListening,
    close() {
      stopListening();
      app.close();
    },
  };
}

/** The request is only valid during this call, so everything is read from it before the token is looked at. */
function upgrade(
  options: TransportOptions,
  res: uWS.HttpResponse,
  req: uWS.HttpRequest,
  context: uWS.us_socket_context_t,
): void {
  const key = req.getHeader('sec-websocket-key');
  const extensions = req.getHeader('sec-websocket-extensions');
  // More than one is as good as one, and `getHeader` gives only the first.
  const forwardedFor: string[] = [];
  req.forEach((name, value) => {
    if (name === 'x-forwarded-for') forwardedFor.push(value);
  });
  let gone = false;
  res.onAborted(() => (gone = true));
  const request = {
    authorization: req.getHeader('authorization'),
    protocols: req.getHeader('sec-websocket-protocol'),
    origin: req.getHeader('origin'),
    device: req.getHeader('kora-device'),
    forwardedFor: forwardedFor.join(','),
    address: Buffer.from(res.getRemoteAddressAsText()).toString(),
  };
  void options.admit(request).then((admission) => {
    if (gone) {
      if (admission.ok) admission.abandoned();
      return;
    }
    res.cork(() => {
      if (!admission.ok) refuse(res, admission);
      else res.upgrade<Client>({ admission }, key, admission.protocol, extensions, context);
    });
  });
}

function refuse(res: uWS.HttpResponse, { status, body }: Admission & { ok: false }): void {
  res.writeStatus(status).writeHeader('content-type', 'application/json').end(JSON.stringify(body));
}

class UwsConnection implements Connection {
  readonly #ws: uWS.WebSocket<Client>;

  constructor(ws: uWS.WebSocket<Client>) {
    this.#ws = ws;
  }

  get bufferedBytes(): number {
    return this.#ws.getBufferedAmount();
  }

  send(texts: readonly Uint8Array[]): number {
    let taken = 0;
    // Corked: many texts, one write. Seven times cheaper than a write for each.
    this.#ws.cork(() => {
      for (const text of texts) {
        if (this.#ws.send(text, false) === DROPPED) return;
        taken += 1;
      }
    });
    return taken;
  }

  close(code: number, reason: string): void {
    this.#ws.end(code, reason);
  }
}
