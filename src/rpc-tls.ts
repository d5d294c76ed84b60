import type { RpcTls } from './gateway/rpc/tls.ts';
import type { KoraConfig } from './platform/config.ts';
import { tlsFile, together } from './tls-files.ts';

const files = ['rpcTlsCertificate', 'rpcTlsKey', 'rpcTlsClientCa'] as const;

/**
 * How the rpc door is encrypted, as the configuration says; undefined: not at all.
 *
 * @throws ConfigError where some of the three files are named and others not, or one cannot be read
 */
export async function rpcTlsOf(
  config: Pick<KoraConfig, (typeof files)[number] | 'rpcTlsNames'>,
): Promise<RpcTls | undefined> {
  if (files.every((name) => config[name] === undefined)) return undefined;
  const { rpcTlsNames: names, ...named } = config;
  together(named, files, 'for TLS at the rpc door');
  const [certificate, key, clientCa] = await Promise.all([
    tlsFile(named, 'rpcTlsCertificate'),
    tlsFile(named, 'rpcTlsKey'),
    tlsFile(named, 'rpcTlsClientCa'),
  ]);
  return { certificate, key, clientCa, names };
}
