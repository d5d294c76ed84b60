import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';

/** A batch of spans that was sent, or could not be. */
export interface Export {
  readonly spans: number;
  readonly error?: Error;
}

/** Sends spans through another exporter and says what became of them: OpenTelemetry tells nobody. */
export class ToldExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #told: (sent: Export) => void;

  constructor(exporter: SpanExporter, told: (sent: Export) => void) {
    this.#exporter = exporter;
    this.#told = told;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.#exporter.export(spans, (result) => {
      // 0 is success (`ExportResultCode`).
      const failed = (result.code as number) !== 0;
      this.#told({
        spans: spans.length,
        ...(failed && { error: result.error ?? new Error('the collector did not take them') }),
      });
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.();
  }
}
