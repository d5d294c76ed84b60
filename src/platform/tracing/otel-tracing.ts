import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { type ActiveSpan, activeSpan } from './active-span.ts';
import { type Export, ToldExporter } from './told-exporter.ts';
import type { Incoming, OpenSpan, SpanAttributes, Tracing } from './span.ts';

export interface TracingOptions {
  /** Of the collector: `http://127.0.0.1:4318`, or all of it where traces have another path than `/v1/traces`. */
  readonly url: string;
  /** Of the traces that begin here, how many are recorded: 0 to 1. Those that a caller began follow the caller. */
  readonly ratio: number;
  /** What the process is called. Default `kora`. */
  readonly service?: string;
  readonly version: string;
  /** This process, among others of the service. */
  readonly instanceId: string;
  /** Told of every batch that was sent, or was not. */
  readonly onExport: (sent: Export) => void;
  /** How long spans wait for others to be sent with. Default 1 s. */
  readonly delayMs?: number;
}

/** What waits to be sent at the end is waited for no longer. */
const closeMs = 5_000;

/** Spans that wait while the collector is slow or away; further ones are dropped, never what they are about. */
const waitingMax = 8_192;

/** Traces by OpenTelemetry, sent by OTLP over HTTP. Nothing is registered globally: several may be in one process. */
export function startOtelTracing(options: TracingOptions): Tracing {
  const exporter = new ToldExporter(
    new OTLPTraceExporter({ url: tracesUrl(options.url), timeoutMillis: closeMs }),
    options.onExport,
  );
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.service ?? 'kora',
      'service.version': options.version,
      'service.instance.id': options.instanceId,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.ratio) }),
    spanLimits: { attributeCountLimit: 32, attributeValueLengthLimit: 256 },
    spanProcessors: [
      new BatchSpanProcessor(exporter, {
        maxQueueSize: waitingMax,
        maxExportBatchSize: 512,
        scheduledDelayMillis: options.delayMs ?? 1_000,
        exportTimeoutMillis: 2 * closeMs,
      }),
    ],
  });
  return new OtelTracing(provider.getTracer('kora', options.version), () => provider.shutdown());
}

function tracesUrl(url: string): string {
  const collector = new URL(url);
  if (collector.pathname === '/') collector.pathname = '/v1/traces';
  return collector.href;
}

class OtelTracing implements Tracing {
  readonly #tracer: Tracer;
  readonly #shutdown: () => Promise<void>;

  constructor(tracer: Tracer, shutdown: () => Promise<void>) {
    this.#tracer = tracer;
    this.#shutdown = shutdown;
  }

  begin(name: string, attributes: SpanAttributes, incoming?: Incoming): OpenSpan {
    const outer = incoming === undefined ? activeSpan.getStore() : undefined;
    const parent = incoming === undefined ? (outer?.context ?? ROOT_CONTEXT) : contextOf(incoming.traceparent);
    const given = attributes[CORRELATION];
    const correlationId = typeof given === 'string' ? given : (incoming?.correlationId ?? outer?.correlationId);
    const span = this.#tracer.startSpan(
      name,
      {
        kind: incoming === undefined ? SpanKind.INTERNAL : SpanKind.SERVER,
        attributes: correlationId === undefined ? attributes : { ...attributes, [CORRELATION]: correlationId },
      },
      parent,
    );
    const { traceId } = span.spanContext();
    return new OneSpan(span, { context: trace.setSpan(parent, span), traceId, correlationId });
  }

  span<Result>(name: string, attributes: SpanAttributes, work: () => Result): Result {
    const span = this.begin(name, attributes);
    // What an error says may be anything; what it is called is ours.
    const failed = (error: unknown): void => span.end({ failed: true, attributes: { 'error.type': nameOf(error) } });
    let result: Result;
    try {
      result = span.run(work);
    } catch (error) {
      failed(error);
      throw error;
    }
    // The very promise is handed on, and who waits for it hears of its failure.
    if (result instanceof Promise) result.then(() => span.end(), failed);
    else span.end();
    return result;
  }

  traceparent(): string | undefined {
    const { context } = activeSpan.getStore() ?? {};
    const span = context && trace.getSpanContext(context);
    if (span === undefined) return undefined;
    return `00-${span.traceId}-${span.spanId}-0${(span.traceFlags & TraceFlags.SAMPLED).toString(16)}`;
  }

  traceId(): string | undefined {
    return activeSpan.getStore()?.traceId;
  }

  async close(): Promise<void> {
    // A collector that is away must not keep kora from ending.
    await Promise.race([this.#shutdown().catch(() => undefined), sleep(closeMs, undefined, { ref: false })]);
  }
}

const CORRELATION = 'correlation_id';

class OneSpan implements OpenSpan {
  readonly #span: Span;
  readonly #active: ActiveSpan;

  constructor(span: Span, active: ActiveSpan) {
    this.#span = span;
    this.#active = active;
  }

  run<T>(work: () => T): T {
    return activeSpan.run(this.#active, work);
  }

  correlate(correlationId: string): void {
    this.#active.correlationId = correlationId;
    this.#span.setAttribute(CORRELATION, correlationId);
  }

  end({ attributes = {}, failed = false }: Parameters<OpenSpan['end']>[0] = {}): void {
    this.#span.setAttributes(attributes);
    if (failed) this.#span.setStatus({ code: SpanStatusCode.ERROR });
    this.#span.end();
  }
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/**
 * Where a caller's trace goes on. Of W3C Trace Context only `traceparent` is taken: `tracestate` and `baggage` are texts of
 * the caller's, and would be kept and handed on.
 */
function contextOf(traceparent: string | undefined): Context {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  const spanContext = { traceId, spanId, traceFlags: Number(`0x${flags}`) & TraceFlags.SAMPLED, isRemote: true };
  return isSpanContextValid(spanContext) ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : ROOT_CONTEXT;
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `${error.name} ${code}` : error.name;
}
