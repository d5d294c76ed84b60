import { readFile } from 'node:fs/promises';
import {
  CharsetEvidence,
  type CharsetName,
  type CsvMapping,
  csvMappingOf,
  decideCharset,
  detectFormat,
  DETECTION_BYTES,
  readerFor,
  checkSchema,
  readyMapping,
  schemaProblems,
  SchemaUnusableError,
  StatementUnreadableError,
  statusReportReader,
} from '../../statements/index.ts';
import { ConnectorConfigError } from '../config-error.ts';
import type { BankProfile } from '../config-schema.ts';
import { resolveSecret, type SecretSources } from '../secrets.ts';
import type { FileReaders, StatementTerms } from './ports.ts';
import type { SftpSettings, StatementSettings } from './settings.ts';
import type { SftpSecrets } from './sftp/sftp-session.ts';

/** A profile that says nothing of its statements. */
const standard: StatementSettings = {
  format: 'auto',
  reversals: 'sign-is-effect',
  bankReferencesUnique: false,
  reports: 'cumulative',
};

/** How files of a bank profile are read, and what its lines are known by. */
export function termsOf({ statements = standard }: BankProfile): StatementTerms {
  const { bankReferencesUnique, reports } = statements;
  return { bankReferencesUnique, reports, look: (open) => readersOf(open, statements) };
}

/** Looks at as much of a file as shows how it is to be read. What is configured goes before what is seen. */
async function readersOf(
  open: () => AsyncIterable<Uint8Array>,
  { format: wanted, currency, charset, mapping: named, reversals, schemas }: StatementSettings,
): Promise<FileReaders> {
  const mapping = named === undefined ? undefined : await mappingOf(named);
  const seen = wanted === 'auto' ? detectFormat(await beginning(open())) : wanted;
  const format = seen ?? (mapping === undefined ? undefined : 'csv');
  const check =
    schemas === undefined || !(format === 'pain.002' || format?.startsWith('camt.'))
      ? {}
      : { checkSchema: () => schemaProblems(open(), schemas, (path) => readFile(path)) };
  if (format === 'pain.002') return { kind: 'status-report', reader: statusReportReader, ...check };
  if (format === undefined) {
    const what = 'it is none of MT940, MT942, camt.052, camt.053, camt.054; for a CSV name a mapping in the profile';
    throw new StatementUnreadableError('UnknownFormat', what, { line: 1, column: 1 });
  }
  const isText = format === 'mt940' || format === 'mt942';
  const shown = charset ?? (isText ? await charsetOf(open()) : undefined);
  const options = {
    reversals,
    ...(currency !== undefined && { currency }),
    ...(shown !== undefined && { charset: shown }),
    ...(mapping !== undefined && { mapping }),
  };
  return { kind: 'statements', reader: () => readerFor(format, options), ...check };
}

async function beginning(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let count = 0;
  for await (const some of bytes) {
    parts.push(some);
    count += some.length;
    if (count >= DETECTION_BYTES) break;
  }
  return Buffer.concat(parts);
}

/** By all bytes of the file; undefined where the reader finds the same by itself, with its problem. */
async function charsetOf(bytes: AsyncIterable<Uint8Array>): Promise<CharsetName | undefined> {
  const evidence = new CharsetEvidence();
  for await (const some of bytes) evidence.push(some);
  const { charset, problem } = decideCharset(evidence.findings());
  return problem === undefined ? charset : undefined;
}

/** A mapping that is shipped, or a file's. What is wrong with it is a fault of ours, and no file's: the file waits. */
async function mappingOf(nameOrPath: string): Promise<CsvMapping> {
  return readyMapping(nameOrPath) ?? csvMappingOf(JSON.parse(await readFile(nameOrPath, 'utf8')));
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

/** Reads every schema that a profile names. @throws ConnectorConfigError names the place of the first that cannot be used */
export async function checkSchemas({ statements }: BankProfile, place: string): Promise<void> {
  const { schemas } = statements ?? standard;
  if (schemas === undefined) return;
  const named = typeof schemas === 'string' ? [['', schemas] as const] : Object.entries(schemas);
  for (const [namespace, path] of named) {
    const at = `${place}.statements.schemas${namespace === '' ? '' : `["${namespace}"]`}`;
    try {
      await checkSchema(await readFile(path));
    } catch (cause) {
      if (cause instanceof SchemaUnusableError) {
        throw new ConnectorConfigError(at, 'is no XSD that can be used: look at the file', { cause });
      }
      const { code } = cause as { code?: string };
      if (code === undefined) throw cause;
      throw new ConnectorConfigError(at, `cannot be read (${code}): name a file that is there`, { cause });
    }
  }
}
