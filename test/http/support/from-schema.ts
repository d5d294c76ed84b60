import fc, { type Arbitrary } from 'fast-check';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Values by the description of an OpenAPI document: what it asks for, and what it does not. */
export class FromSchema {
  readonly #schemas: Readonly<Record<string, Schema>>;
  /** Texts that mean something to the product that is tried. */
  readonly #known: readonly string[];

  constructor(schemas: Readonly<Record<string, Schema>>, known: readonly string[]) {
    this.#schemas = schemas;
    this.#known = known;
  }

  /** Mostly what the schema describes; now and then a field is wrong, missing or unknown, or all of it is something else. */
  value(schema: Schema): Arbitrary<unknown> {
    return fc.oneof({ weight: 12, arbitrary: this.#described(schema) }, { weight: 1, arbitrary: junk });
  }

  #described(schema: Schema): Arbitrary<unknown> {
    if (schema.$ref !== undefined) {
      const name = schema.$ref.split('/').at(-1) ?? '';
      const found = this.#schemas[name];
      if (found === undefined) throw new Error(`the document has no schema ${name}`);
      return this.#described(found);
    }
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => this.#described(one)));
    switch (schema.type) {
      case 'object':
        return this.#object(schema);
      case 'array':
        return fc.array(this.value(schema.items ?? {}), { maxLength: (schema.maxItems ?? 4) + 1 });
      case 'integer':
        return fc.integer({
          min: schema.minimum ?? -(2 ** 31),
          max: Math.min(schema.maximum ?? 2 ** 31 - 1, 2 ** 31 - 1),
        });
      case 'boolean':
        return fc.boolean();
      case 'string':
        return this.#text(schema);
      case undefined:
      default:
        return fc.jsonValue();
    }
  }

  #object({ properties = {}, required = [] }: Schema): Arbitrary<unknown> {
    const fields = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, this.value(schema)]));
    const optional = Object.keys(properties).filter((name) => !required.includes(name));
    const whole = fc.record(fields, { requiredKeys: required.filter((name) => name in fields) });
    const more = fc.tuple(whole, fc.constantFrom('extra', '__proto__', 'constructor', 'Amount'), fc.jsonValue());
    return fc.oneof(
      { weight: 10, arbitrary: whole },
      { weight: 1, arbitrary: more.map(([object, name, value]) => ({ ...object, [name]: value })) },
      { weight: 1, arbitrary: fc.record(fields, { requiredKeys: optional.slice(0, 1) }) },
    );
  }

  #text({ pattern, format }: Schema): Arbitrary<string> {
    const known = fc.constantFrom(...this.#known);
    if (format === 'date-time') {
      const [min, max] = [new Date('0001-01-01T00:00:00Z'), new Date('9999-12-31T00:00:00Z')];
      return fc.date({ min, max, noInvalidDate: true }).map((date) => date.toISOString());
    }
    // What fast-check cannot read is left to what is known and to any text.
    const fitting =
      pattern === undefined || pattern.includes('\\p') ? fc.string() : fc.stringMatching(new RegExp(pattern));
    return fc.oneof(fitting, known);
  }
}

/** What breaks readers: other types, empty and endless texts, control characters, halves of pairs, large numbers. */
export const junk: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1.5,
    1e21,
    '',
    ' ',
    '\0',
    '\ud800',
    "'; drop table x; --",
    '../../etc/passwd',
  ),
  fc.constantFrom<unknown>(
    '1'.repeat(500),
    '9'.repeat(31),
    '-0',
    '1e3',
    '0x10',
    'NaN',
    '{}',
    [],
    {},
    [[]],
    ['x', null],
  ),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.bigInt().map(String),
  fc.jsonValue(),
);
