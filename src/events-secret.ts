import { randomBytes } from 'node:crypto';
import type { KoraConfig } from './platform/config.ts';
import { loadOrCreatePrivateFile } from './platform/private-file.ts';

/** What feeds are signed with: KORA_EVENTS_SECRET, else a secret that the data folder keeps, made at first need. */
export async function eventsSecretOf({
  eventsSecret,
  dataDir,
}: Pick<KoraConfig, 'eventsSecret' | 'dataDir'>): Promise<string> {
  if (eventsSecret !== undefined) return eventsSecret;
  const { text } = await loadOrCreatePrivateFile(dataDir, 'events-secret', () => randomBytes(32).toString('base64url'));
  return text.trim();
}
