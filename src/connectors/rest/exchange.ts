import { type Agent, type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { errorCode } from '../reasons.ts';

export interface Request {
  readonly url: URL;
  readonly agent: Agent;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly connectTimeoutMs: number;
  /** From the first byte on. */
  readonly timeoutMs: number;
  /** Milliseconds since 1970: nothing is written at or after it. */
  readonly sendBefore?: number;
  readonly now: () => number;
}

/** What became of a request. Which of the last two it is decides whether money may be sent again. */
export type Exchange =
  | { readonly outcome: 'answered'; readonly status: number; readonly body: Buffer }
  /** A byte may have been written, and no whole answer came. */
  | { readonly outcome: 'lost'; readonly reason: string }
  /** Not one byte of the request was written. */
  | {
      readonly outcome: 'not_sent';
      readonly code: 'TooLate' | 'ConnectFailed' | 'ConnectTimeout' | 'Unsendable';
      readonly detail?: string;
    };

/** An honest answer has some hundred bytes. */
const ANSWER_BYTES_MAX = 256 * 1024;

/**
 * One request and its answer. Node writes a request's head with the first bytes of its body, so nothing leaves before
 * `end` is called; and it is called when the connection is there and, for TLS, the provider has proven who it is.
 */
export function exchange(asked: Request): Promise<Exchange> {
  const { body, connectTimeoutMs, timeoutMs, sendBefore, now } = asked;
  return new Promise((resolve) => {
    let written = false;
    const leftMs = sendBefore === undefined ? Infinity : sendBefore - now();
    if (leftMs <= 0) {
      resolve({ outcome: 'not_sent', code: 'TooLate' });
      return;
    }
    let request: ClientRequest;
    try {
      request = begin(asked);
    } catch (error) {
      resolve({ outcome: 'not_sent', code: 'Unsendable', detail: errorCode(error) });
      return;
    }
    // Less time than it takes to connect is no fault of the provider's.
    const code = leftMs < connectTimeoutMs ? 'TooLate' : 'ConnectTimeout';
    let timer = setTimeout(() => finish({ outcome: 'not_sent', code }), Math.min(connectTimeoutMs, leftMs));

    function finish(exchanged: Exchange): void {
      clearTimeout(timer);
      // What comes after this is told to nobody. An answer that is complete leaves its connection for the next request.
      if (exchanged.outcome !== 'answered') request.destroy();
      resolve(exchanged);
    }

    function failed(error: unknown): void {
      const detail = errorCode(error);
      if (written) finish({ outcome: 'lost', reason: `ConnectionLost: ${detail}` });
      else finish({ outcome: 'not_sent', code: 'ConnectFailed', detail });
    }

    request.on('error', failed);
    request.once('socket', (socket) =>
      whenConnected(socket, () => {
        if (request.destroyed) return;
        if (sendBefore !== undefined && now() >= sendBefore) {
          finish({ outcome: 'not_sent', code: 'TooLate' });
          return;
        }
        clearTimeout(timer);
        timer = setTimeout(
          () => finish({ outcome: 'lost', reason: `Timeout: no answer within ${timeoutMs} ms` }),
          timeoutMs,
        );
        written = true;
        request.end(body);
      }),
    );
    request.once('response', (response) => read(response, request, finish, failed));
  });
}

function begin({ url, agent, method, headers, body }: Request): ClientRequest {
  const send = url.protocol === 'https:' ? requestTls : requestPlain;
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  return send(url, { agent, method, headers: { ...headers, ...length } });
}

function whenConnected(socket: Socket, then: () => void): void {
  if (socket instanceof TLSSocket) {
    // `authorized` is set by the handshake; a socket that the agent kept has it behind itself.
    if (socket.authorized) then();
    else socket.once('secureConnect', then);
  } else if (socket.connecting) socket.once('connect', then);
  else then();
}

function read(
  response: IncomingMessage,
  request: ClientRequest,
  finish: (exchanged: Exchange) => void,
  failed: (error: unknown) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) {
      request.destroy();
      finish({ outcome: 'lost', reason: `AnswerTooLarge: more than ${ANSWER_BYTES_MAX} bytes` });
    } else chunks.push(chunk);
  });
  // Also when the connection breaks in the middle of an answer.
  response.on('error', failed);
  response.on('end', () =>
    finish({ outcome: 'answered', status: response.statusCode ?? 0, body: Buffer.concat(chunks) }),
  );
}
