import { createServer as createHttp1, type RequestListener, type Server } from 'node:http';
import {
  constants,
  createServer as createHttp2,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { DoorLog } from './door-log.ts';
import type { NodeHandlerFn } from './request-listener.ts';
import type { RpcLimits } from './limits.ts';
import { sniffProtocol } from './sniff-protocol.ts';
import { type RpcTls, tlsHandshakes } from './tls.ts';

/**
 * One port for HTTP/1.1 and HTTP/2: Node's own HTTP/2 server turns plain `curl` away, and gRPC speaks nothing
 * else. The HTTP/1.1 server listens, so its time-outs and its bookkeeping of connections work as they are; in front of
 * it, the first bytes of each connection say whether it is handed to the HTTP/2 server instead. With `tls` the handshake
 * comes first, and has agreed on the protocol; only of a client that takes no part in that the first bytes are looked at.
 */
export async function listenOnOnePort(
  handle: NodeHandlerFn,
  limits: RpcLimits,
  address: { readonly host: string; readonly port: number; readonly tls?: RpcTls | undefined; readonly log: DoorLog },
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const http1 = createHttp1(
    {
      headersTimeout: limits.helloMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.min(1_000, limits.helloMs),
    },
    handle as RequestListener,
  );
  const http2 = createHttp2(
    { settings: { initialWindowSize: 1024 * 1024, maxConcurrentStreams: 250 } },
    handle as (request: Http2ServerRequest, response: Http2ServerResponse) => void,
  );
  const sessions = new Set<ServerHttp2Session>();
  http2.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    keepOnlyUsed(session, limits);
  });

  const quiet = new Set<Socket>();
  const [serveHttp1] = http1.listeners('connection') as ((socket: Socket) => void)[];
  http1.removeAllListeners('connection');
  http1.maxConnections = limits.connectionsMax;
  const listenTo = (socket: Socket): void => {
    quiet.add(socket);
    sniffProtocol(socket, limits.helloMs, (protocol) => {
      quiet.delete(socket);
      if (protocol === 'http1') serveHttp1?.call(http1, socket);
      else if (protocol === 'http2') http2.emit('connection', socket);
    });
  };
  if (address.tls === undefined) http1.on('connection', listenTo);
  else {
    const { helloMs } = limits;
    const shakeHands = tlsHandshakes(address.tls, { helloMs, log: address.log }, (socket, raw, protocol) => {
      if (raw !== undefined) quiet.delete(raw);
      if (protocol === 'h2') {
        // An HTTP/2 session does not end its half of a connection whose other half has ended.
        socket.allowHalfOpen = false;
        http2.emit('connection', socket);
      } else listenTo(socket);
    });
    http1.on('connection', (raw: Socket) => {
      quiet.add(raw);
      raw.once('close', () => quiet.delete(raw));
      shakeHands(raw);
    });
  }
  await listening(http1, address);

  return {
    port: (http1.address() as AddressInfo).port,
    close: async () => {
      // Closes idle HTTP/1.1 connections as well; those at work are closed after their answer.
      const closed = new Promise<void>((resolve) => http1.close(() => resolve()));
      for (const socket of quiet) socket.destroy();
      const ending = [...sessions].map(endGently);
      const cutOff = setTimeout(() => {
        http1.closeAllConnections();
        for (const session of sessions) session.destroy();
      }, limits.drainMs);
      await closed;
      clearTimeout(cutOff);
      for (const timer of ending) clearTimeout(timer);
    },
  };
}

/** An HTTP/2 connection must get through its handshake, and then be used. */
function keepOnlyUsed(session: ServerHttp2Session, limits: RpcLimits): void {
  session.setTimeout(limits.helloMs, () => session.destroy());
  session.once('remoteSettings', () => session.setTimeout(limits.idleMs));
  // The window for the whole connection: 64 KiB by default, which a batch of 10,000 commands would fill again and again.
  session.setLocalWindowSize(8 * 1024 * 1024);
}

/** Clients that have heard of the end open no more streams: as long as this, those that have not are still answered. */
const GOAWAY_MS = 100;

/**
 * Tells the client to open no more streams, without naming a last one (RFC 9113, 6.8): what it has sent by the time it
 * hears of that is answered, be it with "shutting down". Then the connection ends after its last stream.
 */
function endGently(session: ServerHttp2Session): NodeJS.Timeout {
  if (!session.destroyed) session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
  return setTimeout(() => session.close(), GOAWAY_MS);
}

function listening(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
