import type { IdentityOptions, Keyring, UserRole } from './identity/index.ts';
import { isUserRole, newKeyringText, readKeyring, KeyringError, userRoles } from './identity/index.ts';
import { ConfigError, type KoraConfig } from './platform/config.ts';
import { configOptions } from './platform/config-options.ts';
import { loadOrCreatePrivateFile } from './platform/private-file.ts';

/** The keys of what is personal: KORA_IDENTITY_KEYS, else those that the data folder keeps, made at first need. */
export async function keyringOf({
  identityKeys,
  dataDir,
}: Pick<KoraConfig, 'identityKeys' | 'dataDir'>): Promise<Keyring> {
  if (identityKeys !== undefined) return readKeyring(identityKeys);
  const { file, text } = await loadOrCreatePrivateFile(dataDir, 'identity-keys', () => newKeyringText(new Date()));
  try {
    return readKeyring(text);
  } catch (error) {
    throw new KeyringError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/**
 * What the configuration says of identity.
 *
 * @throws ConfigError where an OIDC issuer is named without an audience, or a role that there is not
 */
export async function identityOptionsOf(
  config: Pick<
    KoraConfig,
    'identityKeys' | 'dataDir' | 'localUsers' | 'oidcIssuer' | 'oidcAudience' | 'oidcRolesClaim' | 'oidcRoles'
  >,
): Promise<Pick<IdentityOptions, 'keyring' | 'localUsers' | 'oidc'>> {
  const { oidcIssuer: issuer, oidcAudience: audience, oidcRolesClaim: rolesClaim } = config;
  const options = { keyring: await keyringOf(config), localUsers: config.localUsers === 'on' };
  if (issuer === undefined) return options;
  // Without it, a token that the issuer made for any other of its clients would be good here.
  if (audience === undefined) {
    throw new ConfigError(`${configOptions.oidcAudience.env}: is needed beside ${configOptions.oidcIssuer.env}`);
  }
  return { ...options, oidc: { issuer, audience, rolesClaim, roles: rolesOf(config.oidcRoles) } };
}

/** Theirs → ours. Where nothing is set, our own names but for admin: that one has to be meant. */
function rolesOf(named: Readonly<Record<string, string>> | undefined): Record<string, UserRole> {
  if (named === undefined) {
    return Object.fromEntries(userRoles.filter((role) => role !== 'admin').map((role) => [role, role]));
  }
  return Object.fromEntries(
    Object.entries(named).map(([theirs, ours]) => {
      if (isUserRole(ours)) return [theirs, ours];
      const wanted = userRoles.join(', ');
      throw new ConfigError(`${configOptions.oidcRoles.env}: ${JSON.stringify(ours)} is no role; there are ${wanted}`);
    }),
  );
}
