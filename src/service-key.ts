import {
  loadOrCreateServiceKey,
  readServiceKey,
  readServicePublicKeys,
  type ServiceKey,
  type ServicePublicKey,
} from './gateway/service-token.ts';
import type { KoraConfig } from './platform/config.ts';

/** The key of the service tokens: KORA_SERVICE_KEY, else the one that the data folder keeps, made at first need. */
export async function serviceKeyOf({
  serviceKey,
  dataDir,
}: Pick<KoraConfig, 'serviceKey' | 'dataDir'>): Promise<ServiceKey> {
  return serviceKey === undefined ? loadOrCreateServiceKey(dataDir) : readServiceKey(serviceKey);
}

/** Every key whose service tokens are taken: the one that signs first, and those of KORA_SERVICE_KEYS_ACCEPTED. */
export async function acceptedServiceKeysOf(
  config: Pick<KoraConfig, 'serviceKey' | 'serviceKeysAccepted' | 'dataDir'>,
): Promise<readonly ServicePublicKey[]> {
  const { serviceKeysAccepted } = config;
  const signing = await serviceKeyOf(config);
  return serviceKeysAccepted === undefined ? [signing] : [signing, ...readServicePublicKeys(serviceKeysAccepted)];
}
