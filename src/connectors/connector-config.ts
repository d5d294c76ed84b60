import { readFile } from 'node:fs/promises';
import type { Static } from 'typebox';
import type { ConnectorConfig } from './bank-connector.ts';
import { ConnectorConfigError } from './config-error.ts';
import { type BankProfile, connectorsDocument } from './config-schema.ts';
import type { ConnectorKind } from './kind.ts';
import { checkSchemas } from './statements/profile-statements.ts';
import { fill } from './validate.ts';

/** All connectors of an installation, with defaults filled in. Where a secret belongs there is a reference to it. */
export interface ConnectorsConfig {
  readonly profiles: readonly BankProfile[];
  readonly connectors: readonly ConnectorConfig[];
}

/**
 * Reads the JSON document that the setting names.
 *
 * @throws ConnectorConfigError names the file, the place and what to do
 */
export async function readConnectorsConfig(file: string, kinds: readonly ConnectorKind[]): Promise<ConnectorsConfig> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const { code = 'Error' } = error as { code?: string };
    throw new ConnectorConfigError(file, `cannot be read (${code}): name a JSON file that is there`);
  });
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // What the parser says quotes the document.
    throw new ConnectorConfigError(file, 'is not JSON: look for a comma or a quote too many or too few');
  }
  try {
    const config = parseConnectorsConfig(document, kinds);
    for (const [index, profile] of config.profiles.entries()) await checkSchemas(profile, `profiles[${index}]`);
    return config;
  } catch (error) {
    if (!(error instanceof ConnectorConfigError)) throw error;
    throw new ConnectorConfigError(file, error.message, { cause: error });
  }
}

/**
 * Checks a document and fills in what it leaves out.
 *
 * @throws ConnectorConfigError names the place of the first mistake: `connectors[1].limits.requestTimeoutMs: …`
 */
export function parseConnectorsConfig(document: unknown, kinds: readonly ConnectorKind[]): ConnectorsConfig {
  // Defaults are filled in in place, and the caller's document is not ours.
  const filled = structuredClone(document);
  refuse(fill(connectorsDocument, filled), '');
  const { profiles, connectors } = filled as Static<typeof connectorsDocument>;
  unique(profiles, 'profiles');
  unique(connectors, 'connectors');
  profiles.forEach(checkProfile);
  return {
    profiles,
    connectors: connectors.map((connector, index) => {
      const place = `connectors[${index}]`;
      if (!profiles.some(({ id }) => id === connector.profile)) {
        throw new ConnectorConfigError(`${place}.profile`, 'no profile has this id: add one to profiles, or name one');
      }
      const kind = kinds.find(({ type }) => type === connector.type);
      if (kind === undefined) {
        const known = kinds.map(({ type }) => type).join(', ');
        throw new ConnectorConfigError(
          `${place}.type`,
          `${connector.type} is not there yet: one of ${known} is wanted`,
        );
      }
      refuse(fill(kind.settings, connector.settings), `${place}.settings`);
      bounds(connector.limits, `${place}.limits`);
      return { ...connector, capabilities: { ...kind.capabilities, ...connector.capabilities } };
    }),
  };
}

function checkProfile(profile: BankProfile, index: number): void {
  for (const [rail, limits] of Object.entries(profile.rails ?? {})) {
    const place = `profiles[${index}].rails.${rail}`;
    if (!profile.supported_rails.includes(rail)) {
      throw new ConnectorConfigError(place, 'it is none of supported_rails: add it there, or leave it out here');
    }
    bounds(limits, place);
  }
}

function bounds(limits: { readonly amountMin?: string; readonly amountMax?: string }, place: string): void {
  const { amountMin, amountMax } = limits;
  if (amountMin !== undefined && amountMax !== undefined && BigInt(amountMin) > BigInt(amountMax)) {
    throw new ConnectorConfigError(`${place}.amountMin`, 'it is above amountMax: no payment would fit');
  }
}

function unique(items: readonly { readonly id: string }[], place: string): void {
  const seen = new Set<string>();
  items.forEach(({ id }, index) => {
    if (seen.has(id))
      throw new ConnectorConfigError(`${place}[${index}].id`, 'another one has this id: give it its own');
    seen.add(id);
  });
}

function refuse(mistake: ReturnType<typeof fill>, parent: string): void {
  if (mistake === undefined) return;
  const place = [parent, mistake.place].filter((part) => part !== '').join('.');
  throw new ConnectorConfigError(place, place === '' ? `the document of connectors: ${mistake.what}` : mistake.what);
}
