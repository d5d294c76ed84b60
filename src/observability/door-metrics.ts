import type { Registry } from 'prom-client';
import type { Answered } from '../gateway/door-observer.ts';
import { Counts } from '../platform/metrics/counts.ts';
import { gaugeOf } from '../platform/metrics/readings.ts';
import { secondsBounds, Spread } from '../platform/metrics/spread.ts';

/** Requests of the http door. Routes are patterns (`/v1/payments/:id`), never what was asked for. */
export function httpMetrics(registry: Registry): (answered: Answered) => void {
  const requests = new Counts(registry, {
    name: 'kora_http_requests_total',
    help: 'Requests answered by the http door; status aborted: the caller went before it was answered',
    labels: ['method', 'route', 'status'],
  });
  const seconds = new Spread(registry, {
    name: 'kora_http_request_seconds',
    help: 'From the headers of a request to the end of its answer',
    labels: ['method', 'route'],
    bounds: secondsBounds,
  });
  return ({ method, route = 'none', status, tookMs }) => {
    requests.of(method, route, status).value += 1;
    seconds.of(method, route).observe(tookMs / 1_000);
  };
}

/** Calls of the rpc door; a batch is one call, its commands are in `kora_commands_total`. */
export function rpcMetrics(registry: Registry): (answered: Answered) => void {
  const calls = new Counts(registry, {
    name: 'kora_rpc_calls_total',
    help: 'Calls answered by the rpc door, by the code of Connect and gRPC, ok where all went well',
    labels: ['method', 'code'],
  });
  const seconds = new Spread(registry, {
    name: 'kora_rpc_call_seconds',
    help: 'From the headers of a call to its answer',
    labels: ['method'],
    bounds: secondsBounds,
  });
  return ({ method, status, tookMs }) => {
    calls.of(method, status).value += 1;
    seconds.of(method).observe(tookMs / 1_000);
  };
}

export function streamMetrics(registry: Registry, connections: () => number): void {
  gaugeOf(registry, { name: 'kora_stream_connections', help: 'Clients of the stream door', labels: [] }, () => [
    { labels: {}, value: connections() },
  ]);
}
