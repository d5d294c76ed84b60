import { Type, type Static } from 'typebox';
import type { CharsetName } from '../../statements/index.ts';
import { choice, integer, secretReference, text } from '../schema-words.ts';

/** `statements` of a bank profile: how its files look, what its lines are known by, and where they are fetched from. */

const closed = { additionalProperties: false };
/** As they are named where files are read. */
const charsets: readonly CharsetName[] = [
  'utf-8',
  'utf-16le',
  'utf-16be',
  'iso-8859-1',
  'iso-8859-15',
  'windows-1252',
  'us-ascii',
];
const HOUR_MS = 3_600_000;

const sftp = Type.Object(
  {
    host: text('the name or address of a server is wanted'),
    port: integer(1, 65_535, 22),
    user: text('the name to log in with is wanted'),
    hostKeySha256: Type.String({
      pattern: '^SHA256:[A-Za-z0-9+/]{43}=?$',
      description:
        "the fingerprint of the server's key is wanted, as ssh-keygen -lf shows it: SHA256:… Ask the bank for it; nothing is sent to a server with another key",
    }),
    password: Type.Optional(secretReference),
    /** A private key in OpenSSH's or PEM form. */
    key: Type.Optional(secretReference),
    passphrase: Type.Optional(secretReference),
    folder: text('the folder of the files on the server is wanted'),
    /** Names of files, with `*` and `?`. */
    pattern: text('a pattern of names is wanted, such as *.sta', { default: '*' }),
    archiveFolder: text('the folder where files go when they are in is wanted'),
    pollMs: integer(200, 24 * HOUR_MS, 60_000),
    /** For a connection, an answer, and the next bytes of a file. */
    timeoutMs: integer(100, 10 * 60_000, 20_000),
  },
  closed,
);

export const statementSettings = Type.Object(
  {
    /** `auto`: seen in each file. */
    format: choice(['auto', 'mt940', 'mt942', 'camt.052', 'camt.053', 'camt.054', 'csv'] as const, { default: 'auto' }),
    /** For files that do not say it. */
    currency: Type.Optional(
      Type.String({ format: 'iso-4217', description: 'a currency of ISO 4217 is wanted, such as XOF' }),
    ),
    /** For files whose bytes do not show it. */
    charset: Type.Optional(choice(charsets, { description: 'a character set is wanted' })),
    /** How the bank signs what it takes back. */
    reversals: choice(['sign-is-effect', 'sign-is-original'] as const, { default: 'sign-is-effect' }),
    /** Of csv: a mapping that is shipped, or the path of one. */
    mapping: Type.Optional(text('the path of a mapping is wanted')),
    /** Of XML: an XSD that documents are held against; the path of one, or paths by namespace. */
    schemas: Type.Optional(
      Type.Unsafe<string | Record<string, string>>({
        type: ['string', 'object'],
        minLength: 1,
        additionalProperties: { type: 'string', minLength: 1, description: 'the path of an XSD is wanted' },
        description: 'the path of an XSD is wanted, or paths by namespace',
      }),
    ),
    bankReferencesUnique: Type.Boolean({ default: false, description: 'true or false is wanted' }),
    reports: choice(['cumulative', 'delta'] as const, { default: 'cumulative' }),
    sftp: Type.Optional(sftp),
  },
  closed,
);

export type StatementSettings = Static<typeof statementSettings>;
export type SftpSettings = Static<typeof sftp>;
