import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type pg from 'pg';
import type { JsonWebKeySet } from '../face.ts';
import type { Vault } from '../vault.ts';
import { inTransaction } from '../postgres/transaction.ts';

/** How long keys do what. */
export interface KeyPeriods {
  /** A key signs for so long. */
  readonly signMs: number;
  /** Its successor is published so long before it signs, so that whoever caches the JWKS has it in time. */
  readonly aheadMs: number;
  /** And it is still verified so long after its last signature: the life of a token, and clocks that differ. */
  readonly verifyMs: number;
}

export const productPeriods: KeyPeriods = { signMs: 24 * 3_600_000, aheadMs: 30 * 60_000, verifyMs: 15 * 60_000 };

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly signsFromMs: number;
  readonly signsUntilMs: number;
  readonly verifiesUntilMs: number;
}

interface KeyRow {
  kid: string;
  public_key: Buffer;
  private_sealed: Buffer;
  signs_from: Date;
  signs_until: Date;
  verifies_until: Date;
}

/** Whoever makes keys does it alone: two processes that start at once must not make two that sign at once. */
const lockKeys = [0x6b6f7261, 11];
/** An unknown `kid` asks the database, but not more often: anybody can send one. */
const REFRESH_MS_MIN = 1_000;

/**
 * The Ed25519 keys of access tokens. They live in the database, sealed, and are the same for all processes: each reads
 * them again every minute, and at once where a token names one that it does not know.
 */
export class SigningKeys {
  readonly #vault: Pick<Vault, 'pool' | 'keyring' | 'now'>;
  readonly #periods: KeyPeriods;
  #keys: readonly SigningKey[] = [];
  #refreshedAtMs = -Infinity;
  #refreshing: Promise<void> | undefined;

  constructor(vault: Pick<Vault, 'pool' | 'keyring' | 'now'>, periods: KeyPeriods = productPeriods) {
    this.#vault = vault;
    this.#periods = periods;
  }

  /** Reads the keys, and makes the present and the next one where they are missing. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /** The key that signs now. */
  async signer(): Promise<{ readonly kid: string; readonly privateKey: KeyObject }> {
    let key = this.#signing();
    if (key === undefined) {
      await this.refresh();
      key = this.#signing();
    }
    if (key === undefined) throw new Error('no key signs access tokens now');
    return key;
  }

  /** The key of a token that must be verified; undefined where there is none, or none any more. */
  async verifier(kid: string): Promise<KeyObject | undefined> {
    if (!this.#keys.some((key) => key.kid === kid) && this.#now() - this.#refreshedAtMs >= REFRESH_MS_MIN) {
      await this.refresh();
    }
    const key = this.#keys.find((one) => one.kid === kid);
    return key !== undefined && this.#now() < key.verifiesUntilMs ? key.publicKey : undefined;
  }

  jwks(): JsonWebKeySet {
    const keys = this.#keys.filter(({ verifiesUntilMs }) => this.#now() < verifiesUntilMs);
    return {
      keys: keys.map(({ kid, publicKey }) => {
        const { x = '' } = publicKey.export({ format: 'jwk' });
        return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' };
      }),
    };
  }

  #now(): number {
    return this.#vault.now().getTime();
  }

  #signing(): SigningKey | undefined {
    const now = this.#now();
    return this.#keys.find(({ signsFromMs, signsUntilMs }) => signsFromMs <= now && now < signsUntilMs);
  }

  async #refresh(): Promise<void> {
    const { pool, keyring } = this.#vault;
    let rows = await readKeys(pool);
    if (this.#missing(rows) !== undefined) rows = await this.#make();
    this.#keys = rows.map((row) => {
      const known = this.#keys.find(({ kid }) => kid === row.kid);
      return known ?? openKey(row, keyring.open(row.private_sealed, placeOf(row.kid)));
    });
    this.#refreshedAtMs = this.#now();
  }

  /** From when a key must be made; undefined where none is missing. */
  #missing(rows: readonly KeyRow[]): Date | undefined {
    const now = this.#now();
    const last = Math.max(...rows.map(({ signs_until }) => signs_until.getTime()), -Infinity);
    if (last <= now) return new Date(now);
    return last <= now + this.#periods.aheadMs ? new Date(last) : undefined;
  }

  async #make(): Promise<KeyRow[]> {
    const { pool, keyring } = this.#vault;
    const { signMs, verifyMs } = this.#periods;
    return inTransaction(pool, async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1, $2)', lockKeys);
      let rows = await readKeys(client);
      for (let from = this.#missing(rows); from !== undefined; from = this.#missing(rows)) {
        const { publicKey, privateKey } = generateKeyPairSync('ed25519');
        const jwk = publicKey.export({ format: 'jwk' });
        const kid = await calculateJwkThumbprint(jwk);
        const until = new Date(from.getTime() + signMs);
        await client.query(
          `INSERT INTO identity.signing_keys (kid, public_key, private_sealed, signs_from, signs_until, verifies_until)
           VALUES ($1, $2, $3, $4, $5, $6)`,
          [
            kid,
            Buffer.from(jwk.x ?? '', 'base64url'),
            keyring.seal(privateKey.export({ type: 'pkcs8', format: 'der' }), placeOf(kid)),
            from,
            until,
            new Date(until.getTime() + verifyMs),
          ],
        );
        rows = await readKeys(client);
      }
      return rows;
    });
  }
}

/** Where a private key belongs: see `Keyring.seal`. */
export function placeOf(kid: string): string {
  return `signing_keys.private/${kid}`;
}

async function readKeys(db: Pick<pg.ClientBase, 'query'>): Promise<KeyRow[]> {
  const { rows } = await db.query<KeyRow>('SELECT * FROM identity.signing_keys ORDER BY signs_from');
  return rows;
}

function openKey(row: KeyRow, pkcs8: Buffer): SigningKey {
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  return {
    kid: row.kid,
    privateKey,
    publicKey: createPublicKey(privateKey),
    signsFromMs: row.signs_from.getTime(),
    signsUntilMs: row.signs_until.getTime(),
    verifiesUntilMs: row.verifies_until.getTime(),
  };
}
