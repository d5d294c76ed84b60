import type { Vault } from './vault.ts';
import { KeyringError } from './keyring.ts';
import { indexLogin, places } from './postgres/users.ts';
import { inTransaction } from './postgres/transaction.ts';
import type { Login } from './login.ts';
import { placeOf } from './tokens/signing-keys.ts';

const BATCH = 200;

/** What was sealed anew, and indexed anew. */
export interface Resealed {
  readonly users: number;
  readonly signingKeys: number;
}

/** The key's id in an envelope of `keyring.ts`. */
const keyIdOf = (column: string): string =>
  `convert_from(substring(${column} FROM 3 FOR get_byte(${column}, 1)), 'UTF8')`;

/**
 * Seals everything with the newest key, and indexes every login under the keys of the keyring and no other. Small
 * transactions, so that people log in meanwhile; run again, it goes on where it was interrupted.
 *
 * @throws KeyringError where the keyring does not fit the database
 */
export async function reseal(vault: Vault): Promise<Resealed> {
  await proveKeyring(vault);
  const users = await resealUsers(vault);
  const signingKeys = await resealSigningKeys(vault);
  const [newest] = vault.keyring.keyIds;
  await vault.pool.query('DELETE FROM identity.keyring WHERE key_id <> $1', [newest]);
  return { users, signingKeys };
}

async function resealUsers(vault: Vault): Promise<number> {
  let count = 0;
  for (let after: string | undefined = ''; after !== undefined;) {
    const done = await resealBatch(vault, after);
    count += done.resealed;
    after = done.last;
  }
  return count;
}

async function resealBatch(
  vault: Vault,
  after: string,
): Promise<{ readonly resealed: number; readonly last: string | undefined }> {
  const { pool, keyring } = vault;
  return inTransaction(pool, async (client) => {
    // Locked, so that a password that is changed meanwhile is not overwritten with the one before.
    const { rows } = await client.query<UserRow>(
      `SELECT u.id, u.login_kind, u.login_sealed, u.password_sealed,
              ARRAY(SELECT key_id FROM identity.login_index i WHERE i.user_id = u.id) AS indexed
       FROM identity.users u
       WHERE u.id > $1 AND (${keyIdOf('u.login_sealed')} <> $2 OR ${keyIdOf('u.password_sealed')} <> $2
         OR ARRAY(SELECT key_id FROM identity.login_index i WHERE i.user_id = u.id ORDER BY key_id) <> $3::text[])
       ORDER BY u.id LIMIT $4 FOR UPDATE`,
      [after, keyring.keyIds[0], [...keyring.keyIds].sort(), BATCH],
    );
    for (const { id, login_kind: kind, login_sealed, password_sealed, indexed } of rows) {
      const login: Login = { kind, value: keyring.open(login_sealed, places.login(id)).toString('utf8') };
      const password = keyring.open(password_sealed, places.password(id));
      await client.query('UPDATE identity.users SET login_sealed = $2, password_sealed = $3 WHERE id = $1', [
        id,
        keyring.seal(login.value, places.login(id)),
        keyring.seal(password, places.password(id)),
      ]);
      await indexLogin(client, vault, id, login, indexed);
      await client.query('DELETE FROM identity.login_index WHERE user_id = $1 AND key_id <> ALL ($2)', [
        id,
        keyring.keyIds,
      ]);
    }
    return { resealed: rows.length, last: rows.length === BATCH ? rows.at(-1)?.id : undefined };
  });
}

interface UserRow {
  readonly id: string;
  readonly login_kind: Login['kind'];
  readonly login_sealed: Buffer;
  readonly password_sealed: Buffer;
  readonly indexed: string[];
}

async function resealSigningKeys({ pool, keyring }: Vault): Promise<number> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ kid: string; private_sealed: Buffer }>(
      `SELECT kid, private_sealed FROM identity.signing_keys WHERE ${keyIdOf('private_sealed')} <> $1 FOR UPDATE`,
      [keyring.keyIds[0]],
    );
    for (const { kid, private_sealed } of rows) {
      const plain = keyring.open(private_sealed, placeOf(kid));
      await client.query('UPDATE identity.signing_keys SET private_sealed = $2 WHERE kid = $1', [
        kid,
        keyring.seal(plain, placeOf(kid)),
      ]);
    }
    return rows.length;
  });
}

const proofPlace = (keyId: string): string => `keyring.proof/${keyId}`;

/**
 * Finds out now whether this keyring opens what is stored, and makes its newest key known to those who start later.
 *
 * @throws KeyringError where a key is missing, or is another one under the same id
 */
export async function proveKeyring({ pool, keyring }: Pick<Vault, 'pool' | 'keyring'>): Promise<void> {
  const [newest = ''] = keyring.keyIds;
  const { rows } = await pool.query<{ key_id: string; proof_sealed: Buffer }>('SELECT * FROM identity.keyring');
  for (const { key_id: keyId, proof_sealed } of rows) {
    try {
      keyring.open(proof_sealed, proofPlace(keyId));
    } catch (error) {
      if (!(error instanceof KeyringError)) throw error;
      throw new KeyringError(
        `the keyring of identity does not fit this database: it lacks key ${keyId}, or has another one under that id ` +
          '(see KORA_IDENTITY_KEYS, and keys/identity-keys in the data folder)',
        { cause: error },
      );
    }
  }
  if (rows.some(({ key_id }) => key_id === newest)) return;
  await pool.query(
    'INSERT INTO identity.keyring (key_id, proof_sealed) VALUES ($1, $2) ON CONFLICT (key_id) DO NOTHING',
    [newest, keyring.seal('kora', proofPlace(newest))],
  );
}
