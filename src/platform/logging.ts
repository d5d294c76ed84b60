import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './kora-config.ts';

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
 * as it is may not. What could hold such a thing is cut out here as well, should a line ever carry it.
 */
export function createLogger({ level, write, format }: LoggingOptions): Logger {
  const destination: DestinationStream =
    format === 'json' ? { write } : { write: (line) => write(textOf(JSON.parse(line) as Record<string, unknown>)) };
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secrets.flatMap((name) => [name, `*.${name}`]), censor: '[cut]' },
      serializers: { err: errorFields },
    },
    destination,
  );
}

const secrets = ['authorization', 'token', 'serviceKey', 'databaseUrl', 'connectionString', 'password'];

/** What of an error is logged: never the query's values or the request, which drivers like to attach. */
function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    name,
    message,
    ...(typeof code === 'string' && { code }),
    stack,
    ...(cause !== undefined && { cause: errorFields(cause) }),
  };
}

/** `12:34:56.789 warn  the log waits for the store  code=57P01` */
function textOf({ level, time, msg, err, ...fields }: Record<string, unknown>): string {
  const parts = [String(time).slice(11, 23), String(level).padEnd(5), typeof msg === 'string' ? msg : ''];
  for (const [name, value] of Object.entries(fields)) {
    parts.push(`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  }
  const { stack, message } = (err ?? {}) as { stack?: string; message?: string };
  const trace = stack ?? message;
  return `${parts.join(' ')}${trace === undefined ? '' : `\n${trace}`}\n`;
}
