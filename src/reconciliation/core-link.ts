import { type Agent, Agent as PlainAgent, type IncomingMessage, request as requestPlain } from 'node:http';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import { CoreUnreachableError } from './effects/core.ts';

export interface CoreLinkOptions {
  /** Of the core's http door: `https://kora.internal:7400`. */
  readonly url: string;
  /** Of this service, good now. */
  readonly token: () => Promise<string>;
  /** Of https: who may have issued the core's certificate (default: whom Node trusts), and our own. All PEM. */
  readonly tls?: { readonly ca?: string; readonly certificate?: string; readonly key?: string };
  /** Of the span that a request is made in: the core's spans are inside of it. Default: nobody traces. */
  readonly traceparent?: () => string | undefined;
}

export interface CoreRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: object;
  readonly idempotencyKey?: string;
  /** Ties what the core does, and logs, to what this process was at. */
  readonly correlationId: string;
  /** Default 15 s. */
  readonly timeoutMs?: number;
}

export interface CoreReply {
  readonly status: number;
  /** The JSON of it; `{}` where there is none. */
  readonly body: unknown;
}

/** The core's http door, as a process of its own sees it: the one way there. */
export interface CoreLink {
  readonly url: string;
  /** @throws CoreUnreachableError where there is no answer, or one that says nothing of the request: not let in, too busy, broken */
  ask(request: CoreRequest): Promise<CoreReply>;
  close(): void;
}

/** A page of a feed has some megabytes. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** Problems that say nothing of the request itself: it is asked again. */
const passing = new Set(['Overloaded', 'Contended', 'StillRunning', 'Unavailable', 'OutcomeUnknown']);

export function coreLink({ url, token, tls = {}, traceparent = () => undefined }: CoreLinkOptions): CoreLink {
  const { ca, certificate: cert, key } = tls;
  const agent: Agent = url.startsWith('https:')
    ? new TlsAgent({ keepAlive: true, minVersion: 'TLSv1.3', ...(ca && { ca }), ...(cert && key && { cert, key }) })
    : new PlainAgent({ keepAlive: true });
  return {
    url,
    ask: async (asked) => {
      const { method, timeoutMs = 15_000 } = asked;
      const text = asked.body === undefined ? undefined : JSON.stringify(asked.body);
      const trace = traceparent();
      const headers = {
        authorization: `Bearer ${await token()}`,
        'kora-correlation-id': asked.correlationId,
        ...(asked.idempotencyKey !== undefined && { 'idempotency-key': asked.idempotencyKey }),
        ...(trace !== undefined && { traceparent: trace }),
        ...(text !== undefined && { 'content-type': 'application/json' }),
      };
      const sent = { url: new URL(asked.path, url), agent, method, headers, text, timeoutMs };
      const { status, text: answer } = await answered(sent).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        throw new CoreUnreachableError(`the core at ${url} does not answer: ${why}`, { cause: error });
      });
      const body = parsed(answer);
      const { code = '', detail = '' } = body as { code?: string; detail?: string };
      if (status === 401 || status === 403)
        throw new CoreUnreachableError(`the core at ${url} does not let this process in: ${status} ${code}: ${detail}`);
      if (status >= 500 || status === 429 || passing.has(code))
        throw new CoreUnreachableError(`the core at ${url} answered ${status} ${code}: ${detail}`);
      return { status, body };
    },
    close: () => agent.destroy(),
  };
}

interface Raw {
  readonly status: number;
  readonly text: string;
}

interface Sent {
  readonly url: URL;
  readonly agent: Agent;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string | undefined;
  readonly timeoutMs: number;
}

function answered(sent: Sent, again = false): Promise<Raw> {
  const { url, agent, method, headers, text, timeoutMs } = sent;
  const { promise, resolve, reject } = Promise.withResolvers<Raw>();
  const send = url.protocol === 'https:' ? requestTls : requestPlain;
  const length = text === undefined ? {} : { 'content-length': Buffer.byteLength(text) };
  const signal = AbortSignal.timeout(timeoutMs);
  const request = send(url, { agent, method, headers: { ...headers, ...length }, signal });
  request.once('error', (error: NodeJS.ErrnoException) => {
    // The core closed a connection that was kept, just then. Whatever is asked for may be asked for twice: it has its key.
    const isStale = request.reusedSocket && !again && error.code === 'ECONNRESET';
    if (isStale) answered(sent, true).then(resolve, reject);
    else reject(signal.aborted ? new Error(`nothing within ${timeoutMs} ms`, { cause: error }) : error);
  });
  request.once('response', (response) => void read(response).then(resolve, reject));
  request.end(text);
  return promise;
}

async function read(response: IncomingMessage): Promise<Raw> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`its answer has more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') };
}

function parsed(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}
