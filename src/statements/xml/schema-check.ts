import type { StatementProblem } from '../statement.ts';
import { xsdProblems } from './xsd-check.ts';

/** The path of one XSD for every XML document, or paths by the namespace that a document declares. */
export type SchemaPaths = string | Readonly<Record<string, string>>;

/** A larger document is not checked: all of it is in memory for that, several times. */
export const SCHEMA_CHECK_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Holds a document against the schema that is configured for it. One of a namespace without a schema is not checked; one that
 * is too large has a problem that says so.
 *
 * @throws SchemaUnusableError; whatever `read` and `bytes` throw
 */
export async function schemaProblems(
  bytes: AsyncIterable<Uint8Array>,
  schemas: SchemaPaths,
  read: (path: string) => Promise<Uint8Array>,
  bytesMax = SCHEMA_CHECK_BYTES_MAX,
): Promise<StatementProblem[]> {
  const parts: Uint8Array[] = [];
  let count = 0;
  for await (const some of bytes) {
    count += some.length;
    if (count > bytesMax) {
      const message = `it was not held against the schema: it is larger than ${bytesMax} bytes`;
      return [{ code: 'SchemaUnchecked', message }];
    }
    parts.push(some);
  }
  const document = Buffer.concat(parts);
  const path = typeof schemas === 'string' ? schemas : schemas[namespaceOf(document) ?? ''];
  return path === undefined ? [] : xsdProblems(document, await read(path));
}

/** Of the first element; prefixed or not, and in UTF-16 as well. */
function namespaceOf(document: Buffer): string | undefined {
  const text = document.subarray(0, 4096).toString('latin1').replaceAll('\0', '');
  const root = /<(?:([\w.-]+):)?[A-Za-z_][\w.-]*((?:\s+[\w.:-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)/.exec(text);
  if (root === null) return undefined;
  const name = root[1] === undefined ? 'xmlns' : `xmlns:${root[1]}`;
  for (const [, attribute, , value] of (root[2] ?? '').matchAll(/([\w.:-]+)\s*=\s*(["'])(.*?)\2/g)) {
    if (attribute === name) return value;
  }
  return undefined;
}
