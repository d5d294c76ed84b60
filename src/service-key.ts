import { loadOrCreateServiceKey, readServiceKey, type ServiceKey } from './gateway/service-token.ts';
import type { KoraConfig } from './platform/config.ts';

/** The key of the service tokens: KORA_SERVICE_KEY, else the one that the data folder keeps, made at first need. */
export async function serviceKeyOf({
  serviceKey,
  dataDir,
}: Pick<KoraConfig, 'serviceKey' | 'dataDir'>): Promise<ServiceKey> {
  return serviceKey === undefined ? loadOrCreateServiceKey(dataDir) : readServiceKey(serviceKey);
}
