import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Sealer } from './ports.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Days of profiles whose keys are kept in memory. */
const CACHED_MAX = 256;

/**
 * The keys of statements: one for each bank profile and day, and one for hashes. They are made at first need, stand in the
 * database wrapped by the configuration's newest key, and are the same for all processes.
 */
export class StatementKeys {
  readonly #pool: pg.Pool;
  readonly #sealer: Sealer;
  readonly #cached = new Map<string, Promise<{ readonly plain: Buffer; readonly wrapped: Buffer }>>();

  constructor(pool: pg.Pool, sealer: Sealer) {
    this.#pool = pool;
    this.#sealer = sealer;
  }

  keyOf(scope: string, day: string): Promise<{ readonly plain: Buffer; readonly wrapped: Buffer }> {
    return this.#key(`data/${scope}/${day}`);
  }

  /** The key of an object. Its own copy, wrapped as it was then, is for a database that has lost its keys. */
  async find(scope: string, day: string, wrapped: Buffer): Promise<Buffer> {
    const name = `data/${scope}/${day}`;
    const { rows } = await this.#pool.query<{ wrapped: Buffer }>(readKey, [name]);
    return this.#sealer.open(rows[0]?.wrapped ?? wrapped, name);
  }

  /** What lines of a profile and day are sealed with, and opened. */
  async lineSeal(scope: string, day: string): Promise<LineSeal> {
    const { plain } = await this.keyOf(scope, day);
    return lineSeal(Buffer.from(hkdfSync('sha256', plain, Buffer.alloc(0), 'kora/statement-lines/1', 32)));
  }

  /** HMAC-SHA-256 of a text, as 43 characters of base64url: equal texts of one kind have equal hashes, for ever. */
  async hasher(): Promise<(kind: string, text: string) => string> {
    const { plain } = await this.#key('hash');
    return (kind, text) => createHmac('sha256', plain).update(`${kind}\0${text}`).digest('base64url');
  }

  /** Wraps with the newest key what is still wrapped with an older one. @returns how many */
  async reseal(): Promise<number> {
    const { rows } = await this.#pool.query<{ name: string; wrapped: Buffer }>(
      'select name, wrapped from providers.statement_keys',
    );
    let count = 0;
    for (const { name, wrapped } of rows) {
      if (this.#sealer.keyIdOf(wrapped) === this.#sealer.keyIds[0]) continue;
      const fresh = this.#sealer.seal(this.#sealer.open(wrapped, name), name);
      const text = 'update providers.statement_keys set wrapped = $2 where name = $1 and wrapped = $3';
      count += (await this.#pool.query(text, [name, fresh, wrapped])).rowCount ?? 0;
    }
    return count;
  }

  #key(name: string): Promise<{ readonly plain: Buffer; readonly wrapped: Buffer }> {
    const cached = this.#cached.get(name);
    if (cached !== undefined) return cached;
    const [oldest] = this.#cached.keys();
    if (oldest !== undefined && this.#cached.size >= CACHED_MAX) this.#cached.delete(oldest);
    const key = this.#load(name);
    this.#cached.set(name, key);
    key.catch(() => this.#cached.delete(name));
    return key;
  }

  async #load(name: string): Promise<{ readonly plain: Buffer; readonly wrapped: Buffer }> {
    const read = async (): Promise<Buffer | undefined> =>
      (await this.#pool.query<{ wrapped: Buffer }>(readKey, [name])).rows[0]?.wrapped;
    let wrapped = await read();
    if (wrapped === undefined) {
      // Of processes that make one at once, the first one's stays.
      await this.#pool.query(
        'insert into providers.statement_keys (name, wrapped) values ($1, $2) on conflict (name) do nothing',
        [name, this.#sealer.seal(randomBytes(32), name)],
      );
      wrapped = await read();
    }
    if (wrapped === undefined) throw new Error(`the key ${name} is not there, although it was made`);
    return { plain: this.#sealer.open(wrapped, name), wrapped };
  }
}

const readKey = 'select wrapped from providers.statement_keys where name = $1';

/** `place` binds a value to its row. Random nonces: good for 2^32 values of a day (NIST SP 800-38D, 8.3). */
export interface LineSeal {
  seal(plain: string, place: string): Buffer;
  /** Throws where it was changed or moved. */
  open(sealed: Buffer, place: string): string;
}

function lineSeal(key: Buffer): LineSeal {
  return {
    seal: (plain, place) => {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(place));
      const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), text]);
    },
    open: (sealed, place) => {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
    },
  };
}
