import type { From } from '../face.ts';
import type { Queryable, Vault } from '../vault.ts';
import { addressGroup } from '../address.ts';
import type { IdentityRefusalCode } from '../refusal.ts';

/** One decision, for the journal. */
export interface Decision {
  readonly action:
    | 'sign-up'
    | 'log-in'
    | 'refresh'
    | 'log-out'
    | 'end-session'
    | 'change-password'
    | 'change-roles'
    | 'sensitive-command'
    | 'use-token';
  readonly outcome: 'accepted' | IdentityRefusalCode | 'ReuseDetected' | 'WrongDevice';
  /** `user:<id>`, `service:<name>`, `operator` or `unknown`. */
  readonly actor: string;
  /** Whom it is about: `user:<id>`. */
  readonly subject?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly deviceId?: string | undefined;
  /** Where nobody is known yet: the login, as a keyed hash. */
  readonly loginHash?: string | undefined;
  /** Ids, codes and names of ours; never what is personal. */
  readonly detail?: Readonly<Record<string, string | number | readonly string[]>> | undefined;
  readonly from?: From | undefined;
}

/** Writes it down: in the transaction of what was decided where that changes something, else by itself. */
export async function recordDecision(
  db: Queryable,
  { keyring, tenant, now }: Pick<Vault, 'keyring' | 'tenant' | 'now'>,
  { action, outcome, actor, subject, sessionId, deviceId, loginHash, detail, from }: Decision,
): Promise<void> {
  const origin = from?.address === undefined ? undefined : originHash(keyring, from.address);
  await db.query(
    `INSERT INTO identity.audit
       (at, tenant, actor, action, outcome, subject, session_id, device_id, login_hash, origin_hash, correlation_id, detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      now(),
      tenant,
      actor,
      action,
      outcome,
      subject,
      sessionId,
      deviceId,
      loginHash,
      origin,
      from?.correlationId,
      detail === undefined ? undefined : JSON.stringify(detail),
    ],
  );
}

/** What an address is known by here. */
export function originHash(keyring: Vault['keyring'], address: string): string {
  return keyring.keyedHash(`address:${addressGroup(address)}`);
}
