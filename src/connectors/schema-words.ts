import { Type } from 'typebox';

/** Words of the document of connectors. A description says what is wanted. */

export function choice<Value extends string>(values: readonly Value[], more: object = {}) {
  return Type.Unsafe<Value>({ type: 'string', enum: values, ...more });
}

export function integer(minimum: number, maximum: number, standard?: number) {
  return Type.Integer({
    minimum,
    maximum,
    description: `a whole number from ${minimum} to ${maximum} is wanted`,
    ...(standard === undefined ? {} : { default: standard }),
  });
}

export function text(description: string, more: object = {}) {
  return Type.String({ minLength: 1, maxLength: 500, description, ...more });
}

/** In place of a secret. */
export const secretReference = Type.String({
  pattern: '^(env|file|vault):.+$',
  description: 'a reference is wanted, env:NAME or file:/path, never the secret itself',
});
