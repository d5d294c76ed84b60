import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';

export interface MetricsServerOptions {
  readonly registry: Registry;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Told when the metrics could not be read. */
  readonly onError: (error: unknown) => void;
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/metrics` in the text format of Prometheus, and nothing else. On a port of its own, so that it can be kept away
 * from those who come to the doors, and answers when the doors are closing.
 *
 * @throws what listening throws (`EADDRINUSE` …)
 */
export async function startMetricsServer({
  registry,
  host,
  port,
  onError,
}: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer(
    { requestTimeout: 5_000, headersTimeout: 5_000, keepAliveTimeout: 65_000 },
    (request, response) => {
      request.resume();
      const path = request.url?.split('?', 1)[0];
      if (path !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405, { allow: 'GET, HEAD' }).end();
        return;
      }
      Promise.all([processMetrics().metrics(), registry.metrics()]).then(
        (texts) => {
          response.writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' });
          response.end(request.method === 'HEAD' ? undefined : texts.join('\n'));
        },
        (error: unknown) => {
          onError(error);
          response.writeHead(500).end();
        },
      );
    },
  );
  // Starts to measure the process now, not when it is first asked.
  processMetrics();
  // Some scrapers and a person; a crowd is a mistake.
  server.maxConnections = 32;
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

let ofProcess: Registry | undefined;

/** Memory, event loop, garbage collection, handles: one set for the process, however many koras are in it. */
function processMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
