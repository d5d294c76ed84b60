import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Static, TSchema } from 'typebox';
import { exponentOf } from '../kernel/currencies.ts';

const options = { verbose: true, allowUnionTypes: true };
/** Fills in defaults, in the value itself: for documents of ours. */
const filling = withFormats(new Ajv({ ...options, useDefaults: true }));
/** Takes what comes from outside as it is. */
const strict = withFormats(new Ajv(options));

function withFormats(ajv: Ajv): Ajv {
  ajv.addFormat('iso-4217', { type: 'string', validate: (value: string) => exponentOf(value) !== undefined });
  ajv.addFormat('time-zone', { type: 'string', validate: isTimeZone });
  ajv.addFormat('day', { type: 'string', validate: isDay });
  ajv.addFormat('http-url', { type: 'string', validate: isHttpUrl });
  return ajv;
}

/** A check of what an outsider sent: true, and then its type is known, or false. */
export function checkOf<Schema extends TSchema>(schema: Schema): (value: unknown) => value is Static<Schema> {
  const check: ValidateFunction = strict.compile(schema);
  return (value): value is Static<Schema> => check(value);
}

/** Where and what the first mistake is. The value with its mistake is not said again: it may be a secret. */
export interface Mistake {
  /** `connectors[1].limits.requestTimeoutMs`; empty: the document itself. */
  readonly place: string;
  readonly what: string;
}

/** Fills in the defaults; undefined when all is right. */
export function fill(schema: TSchema, value: unknown): Mistake | undefined {
  const check = compiled(schema);
  if (check(value)) return undefined;
  const [error] = check.errors ?? [];
  return error === undefined ? { place: '', what: 'is not right' } : mistakeOf(error);
}

const compiledSchemas = new WeakMap<TSchema, ValidateFunction>();

function compiled(schema: TSchema): ValidateFunction {
  let check = compiledSchemas.get(schema);
  if (check === undefined) compiledSchemas.set(schema, (check = filling.compile(schema)));
  return check;
}

function mistakeOf({ instancePath, keyword, params, message, parentSchema, schema }: ErrorObject): Mistake {
  const { missingProperty, additionalProperty } = params as Record<string, string | undefined>;
  const place = placeOf(instancePath, missingProperty ?? additionalProperty);
  const { description } = (parentSchema ?? {}) as { description?: string };
  switch (keyword) {
    case 'required':
      return { place, what: 'is missing: add it' };
    case 'additionalProperties':
      return { place, what: 'is not known here: leave it out' };
    case 'enum':
      return { place, what: `one of ${(schema as readonly unknown[]).join(', ')} is wanted` };
    case 'uniqueItems':
      return { place, what: 'something is in it twice: leave it out once' };
    default:
      return {
        place,
        what: description ?? (keyword === 'type' ? `${String(schema)} is wanted` : (message ?? 'wrong')),
      };
  }
}

/** As people write it: `/connectors/1/limits` and a member → `connectors[1].limits.member`. */
function placeOf(instancePath: string, member: string | undefined): string {
  const names = instancePath.split('/').slice(1);
  if (member !== undefined) names.push(member);
  return names
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~').slice(0, 100))
    .reduce((path, name) => (/^[0-9]+$/.test(name) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`), '');
}

function isTimeZone(value: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

function isDay(value: string): boolean {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value)) return false;
  const instant = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(value);
}

function isHttpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return /^https?:$/.test(protocol) && username === '' && password === '' && search === '' && hash === '';
}
