import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import type { ConnectorConfig } from './bank-connector.ts';
import { ConnectorConfigError } from './config-error.ts';

/** A secret that does not show itself: printed, logged or written as JSON it is `[secret]`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

export interface SecretSources {
  /** Of this process; only its main file reads it. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The configuration with a `Secret` in place of each reference at the given paths of its settings: `env:NAME` is a variable
 * of the environment, `file:/path` the text of a file without its last line break.
 *
 * @param place of the connector in the document, for the error: `connectors[1]`
 * @throws ConnectorConfigError names the place and the reference, never what it stands for
 */
export async function resolveConnectorConfig(
  config: ConnectorConfig,
  paths: readonly string[],
  sources: SecretSources,
  place = `connector ${config.id}`,
): Promise<ConnectorConfig> {
  let settings = config.settings;
  for (const path of paths) {
    const reference = valueAt(settings, path);
    if (reference === undefined) continue;
    settings = withValueAt(settings, path, await resolveSecret(reference, sources, `${place}.settings.${path}`));
  }
  return { ...config, settings };
}

/**
 * What one reference stands for.
 *
 * @throws ConnectorConfigError names the place and the reference, never what it stands for
 */
export async function resolveSecret(reference: unknown, { env }: SecretSources, place: string): Promise<Secret> {
  const [, scheme, rest = ''] = (typeof reference === 'string' && /^(env|file|vault):(.+)$/s.exec(reference)) || [];
  switch (scheme) {
    case 'env': {
      const value = env[rest];
      if (value === undefined || value === '') throw new ConnectorConfigError(place, `${rest} is not set: export it`);
      return new Secret(value);
    }
    case 'file': {
      const text = await readFile(rest, 'utf8').catch((error: unknown) => {
        const { code = 'Error' } = error as { code?: string };
        throw new ConnectorConfigError(place, `${rest} cannot be read (${code}): put the secret there`);
      });
      const value = text.replace(/\r?\n$/, '');
      if (value === '') throw new ConnectorConfigError(place, `${rest} is empty: put the secret there`);
      return new Secret(value);
    }
    case 'vault':
      throw new ConnectorConfigError(place, 'vault: is not there yet: use env:NAME or file:/path');
    case undefined:
    default:
      // Not said again: it may be the secret itself.
      throw new ConnectorConfigError(place, 'a reference is wanted, env:NAME or file:/path, never the secret itself');
  }
}

type Tree = Readonly<Record<string, unknown>>;

function valueAt(tree: Tree, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Tree | undefined)?.[name], tree);
}

function withValueAt(tree: Tree, path: string, value: unknown): Tree {
  const [name = '', ...rest] = path.split('.');
  return { ...tree, [name]: rest.length === 0 ? value : withValueAt(tree[name] as Tree, rest.join('.'), value) };
}
