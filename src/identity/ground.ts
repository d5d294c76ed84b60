import type { Hasher } from './passwords/hasher.ts';
import type { PasswordPolicy } from './passwords/policy.ts';
import type { AccessTokens } from './tokens/access-tokens.ts';
import type { Revocations } from './tokens/revocations.ts';
import type { Vault } from './vault.ts';

/** What the operations of the module stand on. */
export interface Ground extends Vault {
  readonly hasher: Hasher;
  readonly policy: PasswordPolicy;
  readonly accessTokens: AccessTokens;
  readonly revocations: Revocations;
}
