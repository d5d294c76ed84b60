import type * as Libxml from 'libxml2-wasm';
import type { ParseOption, XmlLibError } from 'libxml2-wasm';
import type { StatementProblem } from '../statement.ts';

/** The caller's schema cannot be used: a fault of the configuration, not of a bank. */
export class SchemaUnusableError extends Error {
  override readonly name = 'SchemaUnusableError';
  readonly code = 'SchemaUnusable';
}

const PROBLEMS_MAX = 100;

/**
 * Holds a whole document against an XSD schema; what does not fit is a problem with its line. Not streamed: it takes
 * memory for all of the document, which is why it is only done where a schema is configured. The problems name elements
 * and rules, never the values. Loads libxml2 on first use.
 */
export async function xsdProblems(document: Uint8Array, schema: Uint8Array): Promise<StatementProblem[]> {
  const libxml = await import('libxml2-wasm');
  const { XmlDocument, XmlLibError: LibError, ParseOption: Option } = libxml;
  // Nothing is loaded from elsewhere and no entity is put in; lines beyond 65,535 keep their number.
  const option = (Option.XML_PARSE_NO_XXE | Option.XML_PARSE_NONET | Option.XML_PARSE_BIG_LINES) as ParseOption;
  const failed = (error: unknown): StatementProblem[] => {
    if (error instanceof LibError) return problemsOf(error);
    throw error;
  };
  const loaded = compiled(libxml, schema);
  try {
    const parsed = XmlDocument.fromBuffer(document, { option });
    try {
      if (parsed.dtd !== null) {
        return [{ code: 'DoctypeRefused', message: 'a DOCTYPE is refused: messages of ISO 20022 have none' }];
      }
      loaded.validate(parsed);
      return [];
    } catch (error) {
      return failed(error);
    } finally {
      parsed.dispose();
    }
  } catch (error) {
    return failed(error);
  } finally {
    loaded.dispose();
  }
}

/** Whether a schema can be used at all. @throws SchemaUnusableError */
export async function checkSchema(schema: Uint8Array): Promise<void> {
  compiled(await import('libxml2-wasm'), schema).dispose();
}

function compiled({ XmlDocument, XsdValidator, ParseOption }: typeof Libxml, schema: Uint8Array) {
  try {
    const parsed = XmlDocument.fromBuffer(schema, {
      option: (ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_NONET) as ParseOption,
    });
    try {
      return XsdValidator.fromDoc(parsed);
    } finally {
      parsed.dispose();
    }
  } catch (cause) {
    throw new SchemaUnusableError('the configured XSD schema is not one that can be used: check the file', { cause });
  }
}

function problemsOf({ details }: XmlLibError): StatementProblem[] {
  const problems = details.slice(0, PROBLEMS_MAX).map(({ message, line, col }): StatementProblem => ({
    code: 'SchemaMismatch',
    message: withoutValues(message),
    ...(line > 0 ? { at: { line, ...(col > 0 ? { column: col } : {}) } } : {}),
  }));
  if (details.length > PROBLEMS_MAX) {
    problems.push({ code: 'SchemaMismatch', message: `and ${details.length - PROBLEMS_MAX} more of the kind` });
  }
  return problems;
}

/** libxml2 quotes the value that is wrong, which may be somebody's name: only element, attribute, facet and type stay. */
function withoutValues(message: string): string {
  const element = /Element '(?:\{[^}]*\})?([\w.-]+)'/.exec(message)?.[1];
  const attribute = /attribute '([\w.-]+)'/.exec(message)?.[1];
  const where = attribute === undefined ? (element ?? 'the document') : `${element ?? ''}/@${attribute}`;
  const facet = /\[facet '([\w]+)'\]/.exec(message)?.[1];
  if (facet !== undefined) return `${where}: its value breaks the schema's rule ${facet}`;
  const type = /of the (?:atomic|local atomic|union|list) type(?: '(?:\{[^}]*\})?([\w:.-]+)')?/.exec(message)?.[1];
  if (type !== undefined) return `${where}: its value is none of the schema's type ${type}`;
  if (message.includes('not expected')) return `${where}: the schema does not expect it here`;
  if (message.includes('Missing child element')) return `${where}: an element is missing in it`;
  if (message.includes('No matching global declaration')) return `${where}: the schema is one of another message`;
  return `${where}: it does not fit the schema`;
}
