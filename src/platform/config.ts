import { configOptions, type ConfigOption } from './config-options.ts';
import type { KoraConfig } from './kora-config.ts';

export type { KoraConfig } from './kora-config.ts';

/** `DATABASE_URL` and the like: what the environment and the command line hold, before it is looked at. */
export type Texts = Readonly<Record<string, string | undefined>>;

/** Something is set to what it cannot be. The message names it, the value and what would do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'Config';
}

/**
 * Reads the configuration. Pure.
 *
 * @param flags by the names of `KoraConfig`, as text
 * @throws ConfigError at the first value that cannot be
 */
export function configFrom(env: Texts, flags: Partial<Record<keyof KoraConfig, string>> = {}): KoraConfig {
  const read = <Name extends keyof KoraConfig>(name: Name): KoraConfig[Name] => {
    const option: ConfigOption<KoraConfig[Name]> = configOptions[name];
    const flag = flags[name];
    const text = flag ?? env[option.env];
    if (text === undefined || text === '') return option.default;
    try {
      return option.parse(text);
    } catch (error) {
      const source = flag === undefined ? option.env : (option.flag?.split(' ')[0] ?? option.env);
      throw new ConfigError(`${source}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return Object.fromEntries(
    Object.keys(configOptions).map((name) => [name, read(name as keyof KoraConfig)]),
  ) as unknown as KoraConfig;
}
