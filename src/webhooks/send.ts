import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { type AddressPolicy, ForbiddenAddressError, guardedLookup, mayCall, mayCallOpenly } from './addresses.ts';
import { hostOf } from './endpoint-url.ts';

export interface Message {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came of it. Errors are words of ours: what a receiver answers is neither stored nor logged. */
export type Sent =
  | { readonly outcome: 'taken'; readonly status: number }
  | { readonly outcome: 'failed'; readonly error: string; readonly status?: number; readonly retryAfterMs?: number }
  /** The signal came first. Whether the receiver has it is not known. */
  | { readonly outcome: 'aborted' };

export interface Sender {
  send(message: Message, signal: AbortSignal): Promise<Sent>;
  close(): void;
}

/** Of an answer is read what may be thrown away to keep the connection; who says more is cut off. */
const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Posts messages. Connections are kept; redirects are not followed; a call ends after `timeoutMs` however slowly its answer
 * comes. 2xx means taken, everything else failed.
 */
export function httpSender(policy: AddressPolicy, timeoutMs: number): Sender {
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
  const lookups = {
    http: guardedLookup((address) => mayCallOpenly(policy, address)),
    https: guardedLookup((address) => mayCall(policy, address)),
  };
  return {
    send({ url: text, headers, body }, signal) {
      const url = new URL(text);
      const kind = url.protocol === 'https:' ? 'https' : 'http';
      const host = hostOf(url);
      const may = kind === 'https' ? mayCall : mayCallOpenly;
      // An address is connected to without a lookup.
      if (isIP(host) !== 0 && !may(policy, host)) {
        return Promise.resolve({ outcome: 'failed', error: 'its address may not be called' });
      }
      const over = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const request = kind === 'https' ? httpsRequest : httpRequest;
      return new Promise<Sent>((resolve) => {
        const call = request(url, { method: 'POST', agent: agents[kind], lookup: lookups[kind], signal: over });
        for (const [name, value] of Object.entries(headers)) call.setHeader(name, value);
        call.setHeader('content-length', Buffer.byteLength(body));
        call.on('response', (answer) => {
          drain(answer);
          resolve(sentOf(answer));
        });
        call.on('error', (error) => resolve(signal.aborted ? { outcome: 'aborted' } : failureOf(error, over)));
        call.end(body);
      });
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function drain(answer: IncomingMessage): void {
  let bytes = 0;
  answer.on('data', ({ length }: Buffer) => {
    bytes += length;
    if (bytes > ANSWER_BYTES_MAX) answer.destroy();
  });
  answer.on('error', () => undefined);
}

function sentOf({ statusCode: status = 0, headers }: IncomingMessage): Sent {
  if (status >= 200 && status < 300) return { outcome: 'taken', status };
  const seconds = /^[0-9]{1,9}$/.exec(headers['retry-after'] ?? '')?.[0];
  const retryAfterMs = seconds === undefined ? undefined : Number(seconds) * 1000;
  return {
    outcome: 'failed',
    status,
    error: status >= 300 && status < 400 ? `answered ${status}: redirects are not followed` : `answered ${status}`,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

function failureOf(error: Error, over: AbortSignal): Sent {
  if (over.aborted) return { outcome: 'failed', error: 'did not answer in time' };
  if (error instanceof ForbiddenAddressError) return { outcome: 'failed', error: error.message };
  const { code } = error as NodeJS.ErrnoException;
  return { outcome: 'failed', error: code === undefined ? 'the call broke' : `the call broke: ${code}` };
}
