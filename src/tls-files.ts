import { readFile } from 'node:fs/promises';
import type { HttpTls } from './gateway/http/tls.ts';
import { ConfigError, type KoraConfig } from './platform/config.ts';
import { configOptions } from './platform/config-options.ts';
import type { CoreLinkOptions } from './reconciliation/index.ts';

type Files = Readonly<Record<string, string | undefined>>;
type FileName = {
  [Name in keyof KoraConfig]: Name extends `${string}Tls${string}` | `core${string}` ? Name : never;
}[keyof KoraConfig];

/** How the http door is encrypted, as the configuration says; undefined: not at all. */
export async function httpTlsOf(
  config: Pick<KoraConfig, 'httpTlsCertificate' | 'httpTlsKey' | 'httpTlsClientCa'>,
): Promise<HttpTls | undefined> {
  const { httpTlsClientCa } = config;
  if (config.httpTlsCertificate === undefined && config.httpTlsKey === undefined && httpTlsClientCa === undefined)
    return undefined;
  together(config, ['httpTlsCertificate', 'httpTlsKey'], 'for TLS at the http door');
  const [certificate, key] = await Promise.all([tlsFile(config, 'httpTlsCertificate'), tlsFile(config, 'httpTlsKey')]);
  if (httpTlsClientCa === undefined) return { certificate, key };
  return { certificate, key, clientCa: await tlsFile(config, 'httpTlsClientCa') };
}

/** Whom the core is believed by, and what is shown to it. */
export async function coreTlsOf(
  config: Pick<KoraConfig, 'coreUrl' | 'coreCa' | 'coreCertificate' | 'coreKey'>,
): Promise<NonNullable<CoreLinkOptions['tls']>> {
  const { coreUrl = '', coreCa, coreCertificate, coreKey } = config;
  const isSet = [coreCa, coreCertificate, coreKey].some((file) => file !== undefined);
  // A certificate that nobody asks for must not look like protection.
  if (isSet && !coreUrl.startsWith('https:'))
    throw new ConfigError(`${configOptions.coreUrl.env}: is not https, and certificates are set for it`);
  const ca = coreCa === undefined ? {} : { ca: await tlsFile(config, 'coreCa') };
  if (coreCertificate === undefined && coreKey === undefined) return ca;
  together(config, ['coreCertificate', 'coreKey'], 'to show the core who this is');
  const [certificate, key] = await Promise.all([tlsFile(config, 'coreCertificate'), tlsFile(config, 'coreKey')]);
  return { ...ca, certificate, key };
}

/** Half of it must not mean "in clear". @throws ConfigError where some of the files are named and others not */
export function together(config: Files, names: readonly FileName[], what: string): void {
  const missing = names.filter((name) => config[name] === undefined);
  if (missing.length === 0) return;
  const wanted = missing.map((name) => configOptions[name].env).join(' and ');
  throw new ConfigError(`${wanted}: is needed ${what}, beside what is set`);
}

/** @throws ConfigError where it cannot be read */
export async function tlsFile(config: Files, name: FileName): Promise<string> {
  const file = config[name] ?? '';
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${configOptions[name].env}: ${file} cannot be read`, { cause: error });
  }
}
