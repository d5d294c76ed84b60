import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A span as it came over the wire. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly kind: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** A collector of OpenTelemetry: takes traces by OTLP over HTTP, in JSON, and keeps them. */
export interface OtlpReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** The bodies as they came. */
  readonly bodies: string[];
  readonly resources: Readonly<Record<string, string | number>>[];
  /** How the next requests are answered. Default 200. */
  status: number | 'hang';
  close(): Promise<void>;
}

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string | number; readonly doubleValue?: number };
}
interface TracesData {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly kind: number;
        readonly status?: { readonly code?: number };
        readonly attributes: readonly KeyValue[];
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
      }[];
    }[];
  }[];
}

export async function openOtlpReceiver(): Promise<OtlpReceiver> {
  const receiver: OtlpReceiver = {
    url: '',
    spans: [],
    bodies: [],
    resources: [],
    status: 200,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (receiver.status === 'hang') return;
      if (receiver.status === 200 && request.url === '/v1/traces' && request.method === 'POST') {
        const sent = Buffer.concat(chunks);
        const text = String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent);
        receiver.bodies.push(text);
        const data = JSON.parse(text) as TracesData;
        for (const { resource, scopeSpans } of data.resourceSpans) {
          receiver.resources.push(recordOf(resource.attributes));
          for (const { spans } of scopeSpans) receiver.spans.push(...spans.map(spanOf));
        }
      }
      response.writeHead(request.url === '/v1/traces' ? receiver.status : 404, { 'content-type': 'application/json' });
      response.end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(receiver, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function spanOf(span: TracesData['resourceSpans'][number]['scopeSpans'][number]['spans'][number]): ReceivedSpan {
  const { name, traceId, spanId, parentSpanId, kind, status, attributes, startTimeUnixNano, endTimeUnixNano } = span;
  return {
    name,
    traceId,
    spanId,
    parentSpanId: parentSpanId === '' ? undefined : parentSpanId,
    kind,
    failed: status?.code === 2,
    attributes: recordOf(attributes),
    startNs: BigInt(startTimeUnixNano),
    endNs: BigInt(endTimeUnixNano),
  };
}

function recordOf(attributes: readonly KeyValue[]): Record<string, string | number> {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue } }) => [
      key,
      stringValue ?? (intValue === undefined ? (doubleValue ?? '') : Number(intValue)),
    ]),
  );
}
