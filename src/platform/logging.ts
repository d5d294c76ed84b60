import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './kora-config.ts';
import { redacted, scrubbed } from './redaction.ts';
import { activeSpan } from './tracing/active-span.ts';

export type { Logger } from 'pino';

export interface LoggingOptions {
  readonly level: LogLevel;
  /** Where lines go, each with its line end. */
  readonly write: (line: string) => void;
  /** JSON for machines, one line of text for people. */
  readonly format: 'json' | 'text';
}

/**
 * The product's logger. Ids of payments, accounts and principals may be logged; tokens, keys and whatever a client sent
 * as it is may not. What could hold such a thing is cut out here as well, should a line ever carry it: by ourselves, because
 * pino's own `redact` wants each path in full and knows no depth.
 *
 * A line in JSON has `timestamp` (ISO 8601, UTC), `level` (a word), `trace_id` where it is traced, `msg`, and its fields.
 */
export function createLogger({ level, write, format }: LoggingOptions): Logger {
  const destination: DestinationStream = {
    write: (text) => {
      const line = scrubbed(text);
      write(format === 'json' ? line : textOf(JSON.parse(line) as Record<string, unknown>));
    },
  };
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      mixin: traceOf,
      formatters: { level: (label) => ({ level: label }), bindings: redacted, log: redacted },
      serializers: { err: (fields: unknown) => fields },
    },
    destination,
  );
}

/** What a line has from where it is written; its own `trace_id` wins. */
function traceOf(): object {
  const span = activeSpan.getStore();
  return span === undefined ? {} : { trace_id: span.traceId };
}

/** `12:34:56.789 warn  the log waits for the store  code=57P01` */
function textOf({ level, timestamp, msg, err, ...fields }: Record<string, unknown>): string {
  const parts = [String(timestamp).slice(11, 23), String(level).padEnd(5), typeof msg === 'string' ? msg : ''];
  for (const [name, value] of Object.entries(fields)) {
    parts.push(`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  }
  const { stack, message } = (err ?? {}) as { stack?: string; message?: string };
  const trace = stack ?? message;
  return `${parts.join(' ')}${trace === undefined ? '' : `\n${trace}`}\n`;
}
