export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/**
 * Spans around pieces of work: all that most of the product needs of tracing. An attribute `correlation_id` is handed down
 * to the spans inside. Nothing personal in attributes, and no secret.
 */
export interface Spans {
  /**
   * Does the work inside of a span, which ends with it: where it returns a promise, when that settles. What it throws marks
   * the span as failed, and is thrown on.
   */
  span<Result>(name: string, attributes: SpanAttributes, work: () => Result): Result;
  /** Of the span that this happens in, for the header `traceparent` of a request to another system (W3C Trace Context). */
  traceparent(): string | undefined;
  /** Of the trace that this happens in: 32 hexadecimal digits. */
  traceId(): string | undefined;
}

/** For those who do not trace. */
export const noSpans: Spans = {
  span: (_name, _attributes, work) => work(),
  traceparent: () => undefined,
  traceId: () => undefined,
};

/** What a request from outside says of where it comes from. */
export interface Incoming {
  /** Its header, as it came. */
  readonly traceparent: string | undefined;
  readonly correlationId: string | undefined;
}

/** A span that is ended by hand, where what it spans is not one function. */
export interface OpenSpan {
  /** Runs what belongs to it. */
  run<T>(work: () => T): T;
  /** For who learns the correlation id after the span began. */
  correlate(correlationId: string): void;
  end(outcome?: { readonly attributes?: SpanAttributes; readonly failed?: boolean }): void;
}

export interface Tracing extends Spans {
  /** @param incoming of a request from outside: the span continues the caller's trace. Default: it is inside of the active one */
  begin(name: string, attributes: SpanAttributes, incoming?: Incoming): OpenSpan;
  /** Sends what waits to be sent, and no longer than some seconds. */
  close(): Promise<void>;
}
