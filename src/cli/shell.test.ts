import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { KoraConfig } from '../platform/config.ts';
import { configOptions } from '../platform/config-options.ts';
import { configured, takes } from './shell.ts';

type ConfigName = keyof KoraConfig;

/** Proves that every flag that a command takes is heard. */
describe('a flag', () => {
  const values: Partial<Record<ConfigName, string>> = {
    httpPort: '1',
    rpcPort: '2',
    streamPort: '3',
    metricsPort: '4',
    logLevel: 'error',
  };
  const flagged = (Object.keys(configOptions) as ConfigName[]).filter((name) => configOptions[name].flag !== undefined);

  it.each(flagged)('of %s is heard', (name) => {
    const command = takes(new Command('test'), name);
    const [flag = ''] = configOptions[name].flag?.split(' ') ?? [];
    const value = values[name] ?? 'here';
    command.parse([flag, value], { from: 'user' });
    const shell = { env: {}, stderr: { write: () => true } } as unknown as Parameters<typeof configured>[0];
    const { config } = configured(shell, command.opts());
    expect(JSON.stringify(config[name])).toContain(value);
  });
});
