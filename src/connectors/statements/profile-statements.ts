import { type StatementReader, StatementUnreadableError } from '../../statements/index.ts';
import type { BankProfile } from '../config-schema.ts';
import { resolveSecret, type SecretSources } from '../secrets.ts';
import type { StatementTerms } from './ports.ts';
import type { SftpSettings, StatementSettings } from './settings.ts';
import type { SftpSecrets } from './sftp/sftp-session.ts';

/** A profile that says nothing of its statements. */
const standard: StatementSettings = { format: 'auto', bankReferencesUnique: false, reports: 'cumulative' };

/** How files of a bank profile are read, and what its lines are known by. */
export function termsOf({ statements = standard }: BankProfile): StatementTerms {
  const { bankReferencesUnique, reports } = statements;
  return { bankReferencesUnique, reports, reader: () => readerOf(statements) };
}

function readerOf(_settings: StatementSettings): StatementReader {
  throw new StatementUnreadableError('UnknownFormat', 'no reader is there yet', { line: 1, column: 1 });
}

/** What a server is shown. @throws ConnectorConfigError names the place and the reference, never the secret */
export async function secretsOf(profile: string, sftp: SftpSettings, sources: SecretSources): Promise<SftpSecrets> {
  const place = `profile ${profile}.statements.sftp`;
  const one = async (name: 'password' | 'key' | 'passphrase') => {
    const reference = sftp[name];
    return reference === undefined ? {} : { [name]: await resolveSecret(reference, sources, `${place}.${name}`) };
  };
  return { ...(await one('password')), ...(await one('key')), ...(await one('passphrase')) };
}
