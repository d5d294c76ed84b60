import type { StatementProblem, StatementReader, StatusReportReader } from '../../statements/index.ts';

/** Seals and opens what is personal: a keyring, newest key first. `place` is what the value belongs to. */
export interface Sealer {
  seal(plain: string | Buffer, place: string): Buffer;
  /** Throws when its key is not in the ring, the place is another, or it was changed. */
  open(sealed: Buffer, place: string): Buffer;
  keyIdOf(sealed: Buffer): string;
  readonly keyIds: readonly string[];
}

/** Files that are written once, sealed, by key: `SealedObjects` of the platform. `scope` is the bank profile. */
export interface StatementObjects {
  receive(scope: string, bytes: AsyncIterable<Uint8Array>, bytesMax: number): Promise<ArrivedFile>;
  keep(key: string, scope: string, arrived: ArrivedFile): Promise<void>;
  open(key: string, scope: string): AsyncIterable<Uint8Array>;
}

export interface ArrivedFile {
  /** SHA-256 of the plain bytes, in hex. */
  readonly hash: string;
  readonly size: number;
  readonly file: string;
  discard(): Promise<void>;
}

/** Who does it, for the record of accesses. */
export interface Actor {
  /** `user:<id>`, `service:<name>`, `kora:operator`, `kora:sftp`. */
  readonly actor: string;
  readonly reason: string;
  readonly correlationId?: string;
}

export type FileReaders = FileReader & {
  /** Holds the whole file against the schema that is configured; absent: there is none for it. */
  readonly checkSchema?: () => Promise<readonly StatementProblem[]>;
};

type FileReader =
  | { readonly kind: 'statements'; readonly reader: () => StatementReader }
  /** A pain.002: no statement, it says what became of payments. */
  | { readonly kind: 'status-report'; readonly reader: () => StatusReportReader };

/** How files of a bank profile are read, and what its lines are known by. */
export interface StatementTerms {
  /**
   * Looks at a file and says how it is read.
   *
   * @throws StatementUnreadableError for one that is of no known format; whatever `open` throws
   */
  look(open: () => AsyncIterable<Uint8Array>): Promise<FileReaders>;
  /** The bank never gives one of its references twice: lines are known by it. */
  readonly bankReferencesUnique: boolean;
  /** What an intraday report or a list without balances holds: all lines of the day so far, or those since the last one. */
  readonly reports: 'cumulative' | 'delta';
}

/** What a file is refused with before anything of it is kept. */
export class StatementIntakeError extends Error {
  override readonly name = 'StatementIntakeError';
  readonly code: 'UnknownProfile' | 'FileTooLarge' | 'FileEmpty' | 'UnknownStatement' | 'NotQuarantined';

  constructor(code: StatementIntakeError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
