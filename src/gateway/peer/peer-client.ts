import { type ClientHttp2Session, connect } from 'node:http2';
import type { PeerTls } from './peer-door.ts';
import { FORWARD_PATH, type ForwardedAnswer, type ForwardedCall, readAnswers, writeCalls } from './wire.ts';

export interface PeerClientOptions {
  /** host:port */
  readonly address: string;
  readonly token: () => Promise<string>;
  readonly tls?: PeerTls;
  /** How long an answer is waited for. Default 2,000 ms. */
  readonly answerMs?: number;
}

/** The answer did not come, or was not one: what became of the calls is not known here. */
export class PeerUnreachableError extends Error {
  override readonly name = 'PeerUnreachableError';
  readonly code = 'PeerUnreachable';
}

interface Waiting {
  readonly call: ForwardedCall;
  readonly resolve: (answer: ForwardedAnswer) => void;
  readonly reject: (error: Error) => void;
}

const CALLS_AT_ONCE_MAX = 1_000;

/** Speaks to the peer door of one other process. Calls of one turn go in one request. */
export class PeerClient {
  readonly #options: PeerClientOptions;
  #session: ClientHttp2Session | undefined;
  #waiting: Waiting[] = [];

  constructor(options: PeerClientOptions) {
    this.#options = options;
  }

  /** @throws PeerUnreachableError */
  carryOut(call: ForwardedCall): Promise<ForwardedAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#send());
      this.#waiting.push({ call, resolve, reject });
    });
  }

  close(): void {
    this.#session?.close();
  }

  #send(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < all.length; from += CALLS_AT_ONCE_MAX) {
      const some = all.slice(from, from + CALLS_AT_ONCE_MAX);
      this.#ask(some.map(({ call }) => call)).then(
        (answers) => some.forEach(({ resolve }, index) => resolve(answers[index] ?? null)),
        (error: unknown) => {
          const { address } = this.#options;
          const unreachable = new PeerUnreachableError(`the process at ${address} did not answer`, { cause: error });
          for (const { reject } of some) reject(unreachable);
        },
      );
    }
  }

  async #ask(calls: readonly ForwardedCall[]): Promise<ForwardedAnswer[]> {
    const { token, answerMs = 2_000 } = this.#options;
    const authorization = `Bearer ${await token()}`;
    const session = this.#connected();
    return new Promise((resolve, reject) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': FORWARD_PATH,
        'content-type': 'application/json',
        authorization,
      });
      const timer = setTimeout(() => {
        // The connection may be dead, and nobody would say so: the next calls take another one.
        if (this.#session === session) this.#session = undefined;
        session.close();
        stream.destroy(new Error(`no answer for ${answerMs} ms`));
      }, answerMs);
      let status = 0;
      let text = '';
      stream.setEncoding('utf8');
      stream.on('response', (headers) => (status = headers[':status'] ?? 0));
      stream.on('data', (chunk: string) => (text += chunk));
      stream.on('error', reject);
      stream.on('close', () => {
        clearTimeout(timer);
        try {
          if (status !== 200) throw new Error(`it answered with the status ${status}`);
          resolve(readAnswers(text, calls.length));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      stream.end(writeCalls(calls));
    });
  }

  #connected(): ClientHttp2Session {
    let session = this.#session;
    if (session === undefined || session.closed || session.destroyed) {
      const { address, tls } = this.#options;
      session =
        tls === undefined
          ? connect(`http://${address}`)
          : connect(`https://${address}`, {
              cert: tls.certificate,
              key: tls.key,
              ca: tls.clientCa,
              minVersion: 'TLSv1.3',
            });
      // Told to each stream as well.
      session.on('error', () => undefined);
      this.#session = session;
    }
    return session;
  }
}
