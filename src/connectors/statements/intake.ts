import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Page, PageOf } from '../../kernel/page.ts';
import type { StatementHead } from '../../statements/index.ts';
import {
  type FileFilter,
  fileByHash,
  fileById,
  listFiles,
  recordAccess,
  recordEnd,
  recordFile,
  recordFindings,
  recordRelease,
  type StatementFile,
  type StatementOrigin,
  waitingFiles,
} from '../postgres/statement-files.ts';
import {
  type LineFact,
  lastLine,
  type LineMark,
  markLines,
  linesAfter,
  linesById,
  linesOfFile,
  type StatementFigures,
  statementFigures,
  type StoredLine,
} from '../postgres/statement-feed.ts';
import { type AccountBalances, balancesOn, insertBalances } from '../postgres/statement-balances.ts';
import { holdLines, ImportTakenOverError, insertLines } from '../postgres/statement-lines.ts';
import { type LineRecord, placeOf, recordOf, referenceHash, type SealedFields } from './line-record.ts';
import { type Actor, StatementIntakeError, type StatementObjects, type StatementTerms } from './ports.ts';
import { ProfileTurns } from './profile-turns.ts';
import type { FileFindings } from './file-findings.ts';
import { examine, partsOf } from './read-file.ts';
import { StatementBalances } from './statement-balances.ts';
import { applyReport, type StatusSink } from './status-report.ts';
import type { StatementKeys } from './statement-keys.ts';

/** Between any two of these a process may die; whoever comes next goes on from there. */
export type IntakeStep = 'arrived' | 'stored' | 'recorded' | 'examined' | 'batch' | 'lines' | 'ended';

export interface IntakeOptions {
  readonly pool: pg.Pool;
  readonly objects: StatementObjects;
  readonly keys: StatementKeys;
  /** How files of a profile are read; undefined: there is no such profile. */
  readonly terms: (profile: string) => StatementTerms | undefined;
  /** The largest file that is taken. */
  readonly bytesMax: number;
  /** Lines in one transaction. Default 1,000. */
  readonly batchLines?: number;
  /** Told what failed where nobody waits for it. Its text holds nothing personal. */
  readonly onTrouble?: (error: unknown, what: string) => void;
  /** For tests: called after each step. */
  readonly onStep?: (step: IntakeStep) => void | Promise<void>;
}

export interface NewStatement {
  readonly profile: string;
  readonly origin: StatementOrigin;
  readonly fileName: string;
  readonly by: Actor;
}

export interface Received {
  readonly id: string;
  /** The same bytes came before, from the same profile: nothing was stored. */
  readonly duplicate: boolean;
}

/** A line with what is personal of it: for people who may see it, and for matching inside this module. */
export interface OpenedLine extends Omit<StoredLine, 'sealed' | 'day'> {
  readonly fields: SealedFields;
}

/**
 * Takes statements in: stores each file once, reads it, and puts its lines in exactly once. A file is examined as a whole
 * before any of its lines counts; the state of an import is in the database, so that any process can go on with it.
 */
export class StatementIntake {
  readonly #options: IntakeOptions;
  readonly #turns: ProfileTurns;
  #sink: StatusSink | undefined;
  /** Imports that broke off, and when they are tried again. */
  readonly #waits = new Map<string, { readonly forMs: number; readonly until: number }>();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#turns = new ProfileTurns(options.pool);
  }

  /**
   * Stores a file and writes it down. Its lines come in with `import`.
   *
   * @throws StatementIntakeError; whatever `bytes` and the object store throw
   */
  async receive(bytes: AsyncIterable<Uint8Array>, { profile, origin, fileName, by }: NewStatement): Promise<Received> {
    const { pool, objects, keys, bytesMax } = this.#options;
    this.#termsOf(profile);
    const arrived = await objects.receive(profile, bytes, bytesMax).catch((error: unknown) => {
      if ((error as { code?: string }).code !== 'ObjectTooLarge') throw error;
      throw new StatementIntakeError('FileTooLarge', `a file has at most ${bytesMax} bytes`, { cause: error });
    });
    try {
      if (arrived.size === 0) throw new StatementIntakeError('FileEmpty', 'the file is empty');
      await this.#step('arrived');
      const { hash, size } = arrived;
      const present = await fileByHash(pool, profile, hash);
      if (present !== undefined) return { id: present.id, duplicate: true };
      // By its hash: whoever died before the row was written has stored the same object, and it is found again.
      const objectKey = `statements/${profile}/${hash}`;
      await objects.keep(objectKey, profile, arrived);
      await this.#step('stored');
      const id = randomUUID();
      const day = new Date().toISOString().slice(0, 10);
      const name = (await keys.lineSeal(profile, day)).seal(fileName, `bank_statements_raw/${id}`);
      await recordFile(pool, { id, profile, objectKey, hash, size, origin, day, fileName: name });
      const recorded = await fileByHash(pool, profile, hash);
      if (recorded === undefined) throw new Error(`the file ${id} is not there, although it was written down`);
      await recordAccess(pool, { ...by, action: 'write', rawStatementId: recorded.id, objectKey });
      await this.#step('recorded');
      return { id: recorded.id, duplicate: recorded.id !== id };
    } finally {
      await arrived.discard();
    }
  }

  /**
   * Brings a file's lines in, from wherever its import stands. One that is over is left alone.
   *
   * @throws StatementIntakeError `UnknownStatement`, `UnknownProfile`; what the database and the object store throw: then it
   * goes on where it broke off when it is called again
   */
  async import(id: string, by: Actor): Promise<StatementFile> {
    const known = await this.file(id);
    if (known.status !== 'received') return known;
    await this.#turns.inTurn(known.profile, async (client) => {
      const file = await this.file(id);
      if (file.status === 'received') await this.#import(client, file, by);
    });
    return this.file(id);
  }

  /** The same, for who does not wait: what fails is told, and taken up later. */
  async importSoon(id: string, by: Actor): Promise<void> {
    try {
      await this.import(id, by);
    } catch (error) {
      this.#options.onTrouble?.(error, `statement ${id} waits: its import broke off`);
    }
  }

  /** From now on, statuses that banks report go there. Until then files with them wait. */
  tellStatuses(sink: StatusSink): void {
    this.#sink = sink;
  }

  /** Takes up what broke off. @returns how many files are over now */
  async resume(signal?: AbortSignal): Promise<number> {
    let count = 0;
    for (const { id } of await waitingFiles(this.#options.pool, 100)) {
      if (signal?.aborted === true) break;
      const waits = this.#waits.get(id);
      if (waits !== undefined && performance.now() < waits.until) continue;
      try {
        await this.import(id, { actor: 'kora:intake', reason: 'an import that broke off' });
        this.#waits.delete(id);
        count += 1;
      } catch (error) {
        // What keeps it may last: it is not tried, told of and written down every few seconds.
        const forMs = Math.min((waits?.forMs ?? 2_500) * 2, 600_000);
        this.#waits.set(id, { forMs, until: performance.now() + forMs });
        this.#options.onTrouble?.(error, `statement ${id} waits: its import broke off`);
      }
    }
    return count;
  }

  /**
   * Lets a quarantined file count, on a person's word.
   *
   * @throws StatementIntakeError `UnknownStatement`, `NotQuarantined`
   */
  async release(id: string, by: Actor): Promise<StatementFile> {
    const { pool } = this.#options;
    const { objectKey } = await this.file(id);
    const client = await pool.connect();
    try {
      await client.query('begin');
      if (!(await recordRelease(client, id, by))) {
        throw new StatementIntakeError('NotQuarantined', `the statement ${id} is not quarantined`);
      }
      await recordAccess(client, { ...by, action: 'release', rawStatementId: id, objectKey });
      await client.query('commit');
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
    return this.import(id, by);
  }

  /** @throws StatementIntakeError `UnknownStatement` */
  async file(id: string): Promise<StatementFile> {
    const file = await fileById(this.#options.pool, id);
    if (file === undefined) throw new StatementIntakeError('UnknownStatement', `there is no statement ${id}`);
    return file;
  }

  /** The newest first. @throws PageError */
  files(filter: FileFilter, page: Page): Promise<PageOf<StatementFile>> {
    return listFiles(this.#options.pool, filter, page);
  }

  /** The lines that came in with a file, opened; that they were read, by whom and why is written down first. */
  async lines(id: string, page: Page, by: Actor): Promise<PageOf<OpenedLine>> {
    const { objectKey } = await this.file(id);
    await recordAccess(this.#options.pool, { ...by, action: 'read', rawStatementId: id, objectKey });
    const found = await linesOfFile(this.#options.pool, id, page);
    return { ...found, items: await Promise.all(found.items.map((line) => this.#opened(line))) };
  }

  /** The bytes of a file as they came. */
  async *bytes(id: string, by: Actor): AsyncGenerator<Uint8Array> {
    const { objectKey, profile } = await this.file(id);
    await recordAccess(this.#options.pool, { ...by, action: 'read', rawStatementId: id, objectKey });
    yield* this.#options.objects.open(objectKey, profile);
  }

  /** The feed for whoever reconciles: lines that may be matched, after a position, in their order. Positions are dense. */
  linesAfter(position: bigint, limit: number): Promise<LineFact[]> {
    return linesAfter(this.#options.pool, position, limit);
  }

  /** What lines can be matched by, opened. For this module and those that it hands them to: they are personal. */
  async matchingFields(lineIds: readonly string[]): Promise<OpenedLine[]> {
    return Promise.all((await linesById(this.#options.pool, lineIds)).map((line) => this.#opened(line)));
  }

  /** The hash under which lines that carry this reference are found; undefined for words that say there is none. */
  async referenceHash(reference: string): Promise<string | undefined> {
    return referenceHash(await this.#options.keys.hasher(), reference);
  }

  /** Makes keyed hashes as lines carry them, by what they are of: `reference`, `account`. */
  hasher(): Promise<(kind: string, text: string) => string> {
    return this.#options.keys.hasher();
  }

  /** Notes what reconciliation says of lines. */
  mark(marks: readonly LineMark[]): Promise<void> {
    return markLines(this.#options.pool, marks);
  }

  /** The position of the feed's last line; 0 where there is none. */
  lastLine(): Promise<bigint> {
    return lastLine(this.#options.pool);
  }

  /** What statements say that the accounts of a bank opened and closed a day with. */
  balancesOn(profile: string, day: string): Promise<AccountBalances[]> {
    return balancesOn(this.#options.pool, profile, day);
  }

  figures(): Promise<StatementFigures> {
    return statementFigures(this.#options.pool);
  }

  /** Resolves when no import is at work; those that wait are taken up at the next start. */
  close(): Promise<void> {
    return this.#turns.close();
  }

  async #import(client: pg.PoolClient, file: StatementFile, by: Actor): Promise<void> {
    const { objects, pool } = this.#options;
    const { id, profile, objectKey, release } = file;
    const terms = this.#termsOf(profile);
    await recordAccess(pool, { ...by, action: 'fetch', rawStatementId: id, objectKey });
    let { findings } = file;
    if (findings === undefined) {
      findings = await examine(() => objects.open(objectKey, profile), terms);
      await recordFindings(client, id, findings);
      await this.#step('examined');
    }
    if (findings.unreadable !== undefined) return recordEnd(client, id, 'unreadable');
    if (findings.statuses !== undefined) return this.#importStatuses(client, file, terms, findings);
    const held = findings.problemsCount > 0 && release === undefined;
    try {
      await this.#importLines(client, file, terms, held);
    } catch (error) {
      if (error instanceof ImportTakenOverError) return;
      throw error;
    }
    await this.#step('lines');
    await recordEnd(client, id, held ? 'quarantined' : 'parsed');
    await this.#step('ended');
  }

  /** A pain.002. One that names payments which are not known here is held: what it says is not lost without a word. */
  async #importStatuses(
    client: pg.PoolClient,
    { id, profile, objectKey, release }: StatementFile,
    terms: StatementTerms,
    findings: FileFindings,
  ): Promise<void> {
    // Where nobody carries payments, who does takes it up.
    const sink = this.#sink;
    if (sink === undefined) return;
    if (findings.problemsCount > 0 && release === undefined) return recordEnd(client, id, 'quarantined');
    const open = (): AsyncIterable<Uint8Array> => this.#options.objects.open(objectKey, profile);
    const readers = await terms.look(open);
    if (readers.kind !== 'status-report') return;
    const unknown = await applyReport(open(), readers.reader(), (reported) => sink(profile, reported));
    if (unknown > 0 && release === undefined) {
      const message = `${unknown} of its statuses name no payment that was told to this bank: release it when that is right`;
      const problems = [{ code: 'PaymentUnknown', message }];
      await recordFindings(client, id, { ...findings, problems, problemsCount: 1 });
      return recordEnd(client, id, 'quarantined');
    }
    return recordEnd(client, id, 'parsed');
  }

  async #importLines(client: pg.PoolClient, file: StatementFile, terms: StatementTerms, held: boolean): Promise<void> {
    const { objects, keys, batchLines = 1_000 } = this.#options;
    const { id: rawStatementId, profile, day, objectKey, linesDone } = file;
    const [hash, lines] = await Promise.all([keys.hasher(), keys.lineSeal(profile, day)]);
    const ground = { rawStatementId, hash, lines, terms };
    let records: LineRecord[] = [];
    let [ordinal, done, statement] = [0, linesDone, -1];
    let head: StatementHead | undefined;
    const balances = new StatementBalances(hash);
    const keepBalances = async (atEnd?: boolean): Promise<void> => {
      const taken = balances.take(atEnd);
      // What is held counts for nothing; when it is released, it is read once more.
      if (!held && taken.length > 0) await insertBalances(client, rawStatementId, profile, taken);
    };
    const flush = async (): Promise<void> => {
      const batch = { rawStatementId, profileId: profile, from: done, records };
      await (held ? holdLines(client, batch) : insertLines(client, batch));
      done += records.length;
      records = [];
      await this.#step('batch');
    };
    const open = (): AsyncIterable<Uint8Array> => objects.open(objectKey, profile);
    const readers = await terms.look(open);
    if (readers.kind !== 'statements') return;
    for await (const parts of partsOf(open(), readers.reader())) {
      for (const part of parts) {
        balances.see(part);
        if (balances.waiting >= batchLines) await keepBalances();
        if (part.part === 'head') {
          head = part.head;
          statement += 1;
        } else if (part.part === 'line' && head !== undefined) {
          if (ordinal >= linesDone) records.push(recordOf(ground, head, statement, part.line, ordinal));
          ordinal += 1;
          if (records.length >= batchLines) await flush();
        }
      }
    }
    if (records.length > 0) await flush();
    await keepBalances(true);
  }

  async #opened({ sealed, day, ...line }: StoredLine): Promise<OpenedLine> {
    const seal = await this.#options.keys.lineSeal(line.profile, day);
    return {
      ...line,
      fields: JSON.parse(seal.open(sealed, placeOf(line.rawStatementId, line.ordinal))) as SealedFields,
    };
  }

  #termsOf(profile: string): StatementTerms {
    const terms = this.#options.terms(profile);
    if (terms === undefined) throw new StatementIntakeError('UnknownProfile', `there is no bank profile ${profile}`);
    return terms;
  }

  async #step(step: IntakeStep): Promise<void> {
    await this.#options.onStep?.(step);
  }
}
