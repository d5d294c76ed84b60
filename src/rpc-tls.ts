import { readFile } from 'node:fs/promises';
import type { RpcTls } from './gateway/rpc/tls.ts';
import { ConfigError, type KoraConfig } from './platform/config.ts';
import { configOptions } from './platform/config-options.ts';

const files = { certificate: 'rpcTlsCertificate', key: 'rpcTlsKey', clientCa: 'rpcTlsClientCa' } as const;

/**
 * How the rpc door is encrypted, as the configuration says; undefined: not at all.
 *
 * @throws ConfigError where some of the three files are named and others not, or one cannot be read
 */
export async function rpcTlsOf(
  config: Pick<KoraConfig, (typeof files)[keyof typeof files] | 'rpcTlsNames'>,
): Promise<RpcTls | undefined> {
  const names = Object.values(files);
  const missing = names.filter((name) => config[name] === undefined);
  if (missing.length === names.length) return undefined;
  if (missing.length > 0) {
    // Half of it must not mean "in clear".
    const wanted = missing.map((name) => configOptions[name].env).join(' and ');
    throw new ConfigError(`${wanted}: is needed for TLS at the rpc door, beside what is set`);
  }
  const [certificate, key, clientCa] = await Promise.all([
    textOf(config, files.certificate),
    textOf(config, files.key),
    textOf(config, files.clientCa),
  ]);
  return { certificate, key, clientCa, names: config.rpcTlsNames };
}

async function textOf(
  config: Pick<KoraConfig, (typeof files)[keyof typeof files]>,
  name: (typeof files)[keyof typeof files],
): Promise<string> {
  const file = config[name] ?? '';
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${configOptions[name].env}: ${file} cannot be read`, { cause: error });
  }
}
