import type pg from 'pg';

/** What is measured in one go, in a process and a database of its own. */
export interface Case {
  /** Name of its figure; a case with several figures puts them below it: `core.latency.p50`. */
  readonly name: string;
  /** `product`: migrated as the product's database; `empty`: nothing in it. */
  readonly database: 'product' | 'empty';
  /** What a run has beside its warm-up and measurement, for preparing and checking. Default two minutes. */
  readonly spareMs?: number;
  /** For its process, beside those that the product is started with. */
  readonly nodeOptions?: readonly string[];
  /** Loaded only in the process that runs it. */
  readonly load: () => Promise<{ readonly run: (context: CaseContext) => Promise<Measured> }>;
}

export interface CaseContext {
  /** The case's own database. */
  readonly database: pg.ClientConfig;
  /** The same as a URL. */
  readonly databaseUrl: string;
  readonly postmasterPid: number;
  readonly warmupMs: number;
  readonly measureMs: number;
  /** Call it when everything is prepared: what preparing left to be written is not the measurement's to pay. */
  readonly checkpoint: () => Promise<void>;
}

export interface Figure {
  /** The case's name, or one below it. */
  readonly name: string;
  readonly value: number;
  readonly unit: 'payments/s' | 'slices/s' | 'events/s' | 'deliveries/s' | 'lines/s' | 'ms' | 'MB' | 'KiB/connection';
}

export interface Measured {
  readonly figures: readonly Figure[];
  /** What a reader of the figures may want to know of this run: `{"payments": 61000, "batch": 871}`. */
  readonly notes?: Readonly<Record<string, number>>;
}

/** A run whose result is not what it claims: its speed means nothing. */
export class InvalidRunError extends Error {
  override readonly name = 'InvalidRunError';
  readonly code = 'InvalidRun';
}

/** Ends the run unless the condition holds. */
export function mustHold(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new InvalidRunError(otherwise);
}
