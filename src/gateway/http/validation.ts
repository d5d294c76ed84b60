import { Ajv, type ErrorObject } from 'ajv';
import type { FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify';
import { exponentOf } from '../../kernel/currencies.ts';
import { instantOf } from '../instant.ts';
import { type Problem, problem } from './problem.ts';

/**
 * Bodies are taken as they are: a number where a text is wanted is a mistake, and so is a field that nobody knows. What
 * comes in an address is text always, so there, and only there, digits are read as numbers.
 */
const bodies = withFormats(new Ajv({ coerceTypes: false, removeAdditional: false, verbose: true }));
const addresses = withFormats(
  new Ajv({ coerceTypes: true, useDefaults: true, removeAdditional: false, verbose: true }),
);

function withFormats(ajv: Ajv): Ajv {
  ajv.addFormat('date-time', { type: 'string', validate: (text: string) => instantOf(text) !== undefined });
  ajv.addFormat('iso-4217', { type: 'string', validate: (text: string) => exponentOf(text) !== undefined });
  return ajv;
}

export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) => {
  // Headers are read by hand, where they are used: their schema is documentation.
  if (httpPart === 'headers') return () => true;
  return (httpPart === 'body' ? bodies : addresses).compile(schema);
};

/** What a request's first mistake is, in a sentence that names the field and says what is wanted. */
export function invalidRequest(errors: readonly FastifySchemaValidationError[], part: string): Problem {
  // Ajv's own errors: `verbose` adds the schema that the value failed against.
  const [error] = errors as unknown as readonly ErrorObject[];
  if (error === undefined) return problem('Invalid', 'the request cannot be right');
  const field = fieldOf(error);
  const where = field === '' ? part : field;
  return problem('Invalid', `${where}: ${wanted(error)}`, field === '' ? {} : { figures: { field } });
}

function fieldOf({ instancePath, keyword, params }: ErrorObject): string {
  const path = instancePath.slice(1).replaceAll('/', '.');
  const { missingProperty, additionalProperty } = params as Record<string, string | undefined>;
  const member =
    keyword === 'required' ? missingProperty : keyword === 'additionalProperties' ? additionalProperty : '';
  // Only so much of what a caller sent is said again.
  return [path, member]
    .filter((name) => name !== undefined && name !== '')
    .join('.')
    .slice(0, 100);
}

function wanted({ keyword, message, parentSchema, schema }: ErrorObject): string {
  const { description } = (parentSchema ?? {}) as { description?: string };
  switch (keyword) {
    case 'required':
      return 'is missing';
    case 'additionalProperties':
      return 'is not known here: leave it out';
    case 'enum':
      return `one of ${(schema as readonly unknown[]).join(', ')} is wanted`;
    case 'anyOf':
    case 'const':
      return choicesOf(parentSchema, schema) ?? message ?? 'is not right';
    case 'type':
      return `${String(schema)} is wanted${description === undefined ? '' : `: ${description}`}`;
    default:
      return description ?? message ?? 'is not right';
  }
}

function choicesOf(parent: unknown, schema: unknown): string | undefined {
  const { anyOf = [] } = (parent ?? {}) as { anyOf?: readonly { readonly const?: string }[] };
  const choices = anyOf.map((choice) => choice.const).filter((choice) => choice !== undefined);
  if (choices.length > 0) return `one of ${choices.join(', ')} is wanted`;
  return typeof schema === 'string' ? `${schema} is wanted` : undefined;
}
