import {
  createSecureServer,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Runtime } from '../../actors/runtime.ts';
import type { Tracing } from '../../platform/tracing/span.ts';
import { bearerToken } from '../service-token.ts';
import type { ServicePublicKey } from '../service-key.ts';
import { peerTokenVerifier } from './peer-token.ts';
import { FORWARD_PATH, type ForwardedAnswer, type ForwardedCall, readCalls } from './wire.ts';

/** Texts in PEM. One certificate for both ends: each process is server and client of the others. */
export interface PeerTls {
  readonly certificate: string;
  readonly key: string;
  /** Who issues the certificates of processes. */
  readonly clientCa: string;
}

export interface PeerDoorOptions {
  readonly runtime: Pick<Runtime, 'execute'>;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly keys: readonly ServicePublicKey[];
  readonly tls?: PeerTls;
  /** Default: nobody traces. */
  readonly tracing?: Pick<Tracing, 'begin'>;
  readonly log: { warn(details: object, message: string): void };
}

const BODY_BYTES_MAX = 32 * 1024 * 1024;

/**
 * The door for other processes of the same Kora. What comes in here is carried out here, and forwarded no further. Whoever
 * comes in may speak for anybody, so it takes no token but those that the service key signed for this door.
 *
 * @throws what listening throws
 */
export async function startPeerDoor(
  options: PeerDoorOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const { runtime, host, port, keys, tls, log, tracing } = options;
  const isPeer = peerTokenVerifier(keys);
  const handle = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    answer(request, response).catch((error: unknown) => {
      log.warn({ err: error }, 'what another process forwarded could not be read');
      if (!response.headersSent && !response.stream.destroyed) end(response, 400, '');
    });
  };
  const answer = async (request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> => {
    if (request.url !== FORWARD_PATH || request.method !== 'POST') {
      end(response, 404, '');
      return;
    }
    if (!(await isPeer(bearerToken(request.headers.authorization)))) {
      end(response, 401, '');
      return;
    }
    const calls = readCalls(await bodyOf(request));
    const answers = await Promise.all(calls.map((call) => carryOut(call)));
    if (!response.stream.destroyed) end(response, 200, JSON.stringify(answers));
  };
  const carryOut = async (call: ForwardedCall | undefined): Promise<ForwardedAnswer> => {
    if (call === undefined) return null;
    const { request, caller, traceparent } = call;
    const { correlationId } = caller;
    const span = tracing?.begin('peer.command', { 'kora.command': request.type }, { traceparent, correlationId });
    const work = (): Promise<ForwardedAnswer> => runtime.execute(request, caller);
    try {
      return await (span === undefined ? work() : span.run(work));
    } catch (error) {
      // The one that asked tries it itself, and says what came of it.
      log.warn({ err: error, correlationId }, 'a forwarded command came to a fault');
      return null;
    } finally {
      span?.end();
    }
  };
  const server =
    tls === undefined
      ? createServer(handle)
      : createSecureServer(
          {
            cert: tls.certificate,
            key: tls.key,
            ca: tls.clientCa,
            requestCert: true,
            rejectUnauthorized: true,
            minVersion: 'TLSv1.3',
          },
          handle,
        );
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.on('error', () => undefined);
    session.setLocalWindowSize(8 * 1024 * 1024);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // What is at work is answered; then the connection ends.
      for (const session of sessions) session.close();
      const cutOff = setTimeout(() => {
        for (const session of sessions) session.destroy();
      }, 5_000);
      await closed;
      clearTimeout(cutOff);
    },
  };
}

function end(response: Http2ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body);
}

async function bodyOf(request: Http2ServerRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new RangeError(`more than ${BODY_BYTES_MAX} bytes were forwarded at once`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
