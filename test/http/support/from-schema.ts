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

/** Texts that mean something to the product that is tried, by the field that they are for. */
export type Known = Readonly<Record<string, readonly string[]>>;

/** Values by the description of an OpenAPI document: what it asks for, and what it does not. */
export class FromSchema {
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #known: Known;
  readonly #manner: 'tame' | 'wild';

  /** @param manner tame: as described; wild: now and then a field is wrong, missing or unknown, or all is something else */
  constructor(schemas: Readonly<Record<string, Schema>>, known: Known, manner: 'tame' | 'wild') {
    this.#schemas = schemas;
    this.#known = known;
    this.#manner = manner;
  }

  value(schema: Schema, name = ''): Arbitrary<unknown> {
    const described = this.#described(schema, name);
    if (this.#manner === 'tame') return described;
    return fc.oneof({ weight: 12, arbitrary: described }, { weight: 1, arbitrary: junk });
  }

  #described(schema: Schema, name: string): Arbitrary<unknown> {
    if (schema.$ref !== undefined) {
      const called = schema.$ref.split('/').at(-1) ?? '';
      const found = this.#schemas[called];
      if (found === undefined) throw new Error(`the document has no schema ${called}`);
      return this.#described(found, name);
    }
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => this.#described(one, name)));
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
        return this.#text(schema, name);
      case undefined:
      default:
        return fc.jsonValue();
    }
  }

  #object({ properties = {}, required = [] }: Schema): Arbitrary<unknown> {
    const fields = Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name, this.value(schema, name)]),
    );
    const optional = Object.keys(properties).filter((name) => !required.includes(name));
    const whole = fc.record(fields, { requiredKeys: required.filter((name) => name in fields) });
    if (this.#manner === 'tame') return whole;
    const more = fc.tuple(whole, fc.constantFrom('extra', '__proto__', 'constructor', 'Amount'), fc.jsonValue());
    return fc.oneof(
      { weight: 10, arbitrary: whole },
      { weight: 1, arbitrary: more.map(([object, name, value]) => ({ ...object, [name]: value })) },
      { weight: 1, arbitrary: fc.record(fields, { requiredKeys: optional.slice(0, 1) }) },
    );
  }

  #text({ pattern, format }: Schema, name: string): Arbitrary<string> {
    if (format === 'date-time') {
      const [min, max] = [new Date('0001-01-01T00:00:00Z'), new Date('9999-12-31T00:00:00Z')];
      return fc.date({ min, max, noInvalidDate: true }).map((date) => date.toISOString());
    }
    // What fast-check cannot read is left to what is known and to any text.
    const fitting =
      pattern === undefined || pattern.includes('\\p') ? fc.string() : fc.stringMatching(new RegExp(pattern));
    const known = this.#known[name];
    if (known === undefined) return fitting;
    return fc.oneof({ weight: 1, arbitrary: fitting }, { weight: 6, arbitrary: fc.constantFrom(...known) });
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
