import { hash } from 'node:crypto';
import { Ajv, type ErrorObject } from 'ajv';
import { type Static, Type } from 'typebox';
import { exponentOf } from '../../kernel/currencies.ts';
import { parseMinor } from '../../kernel/money.ts';
import defaultDocument from './default-rules.json' with { type: 'json' };

/** How a file of rules looks. docs/reconciliation.md says what every rule means. */

const closed = { additionalProperties: false };
const id = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,39}$', description: 'small letters, digits and dashes' });
const choice = <Value extends string>(...values: Value[]) => Type.Unsafe<Value>({ type: 'string', enum: values });
const days = (maximum: number) =>
  Type.Integer({ minimum: 0, maximum, description: `a whole number of days, ${maximum} at most` });

const known = Type.Object(
  {
    id,
    kind: choice('known'),
    posting: choice('fee', 'interest'),
    sign: choice('debit', 'credit'),
    /** Segments apart by `/`; `*` is any segment. */
    codes: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 200 }),
    /** Default: all. */
    profiles: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
  },
  closed,
);
const plain = Type.Object(
  { id, kind: choice('reversal', 'reference', 'text', 'counterparty', 'fee', 'parts', 'group', 'split') },
  closed,
);
const terms = Type.Object(
  {
    /** A line's value date may come so many days before the expected day, and so many after it. */
    daysBefore: days(31),
    daysAfter: days(92),
    /** So long a line waits for a payment before it counts as one that we do not know. */
    graceDays: days(31),
    /** Of the fee within an amount: both together, rounded down. */
    feeTolerance: Type.Object(
      {
        basisPoints: Type.Integer({ minimum: 0, maximum: 5_000 }),
        absolute: Type.Record(Type.String(), Type.String({ pattern: '^(0|[1-9][0-9]{0,29})$' })),
      },
      closed,
    ),
  },
  closed,
);
const documentSchema = Type.Object(
  {
    version: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$', description: 'letters, digits, . _ and -' }),
    rules: Type.Array(Type.Unsafe<Rule>({ type: 'object', required: ['kind'] }), { minItems: 1, maxItems: 100 }),
    profiles: Type.Record(Type.String(), terms),
  },
  closed,
);

export type KnownRule = Static<typeof known>;
export type Rule = KnownRule | Static<typeof plain>;
type Terms = Static<typeof terms>;

/** What the file says of one profile; amounts as numbers. */
export interface ProfileTerms {
  readonly daysBefore: number;
  readonly daysAfter: number;
  readonly graceDays: number;
  readonly basisPoints: bigint;
  readonly absolute: ReadonlyMap<string, bigint>;
}

export interface MatchingRules {
  readonly version: string;
  /** Of everything that the file says, whatever the order of its fields. */
  readonly fingerprint: string;
  /** The strongest first. */
  readonly rules: readonly Rule[];
  readonly termsOf: (profile: string) => ProfileTerms;
  /** The greatest of all profiles: how far from a day its neighbours may be. */
  readonly windowDays: number;
}

/** A file of rules that cannot be right. The message says where and what. */
export class RulesError extends Error {
  override readonly name = 'RulesError';
  readonly code = 'RulesInvalid';
}

/** @throws RulesError: one version is never two files, or nobody could say by what was matched */
export function sameRules(version: string, before: string | undefined, now: string): void {
  if (before !== undefined && before !== now)
    throw new RulesError(
      `version: ${version} was used before, and its file said something else: give the changed file another version`,
    );
}

const ajv = new Ajv({ verbose: true });
const checkDocument = ajv.compile<Static<typeof documentSchema>>(documentSchema);
const checkKnown = ajv.compile(known);
const checkPlain = ajv.compile(plain);

/**
 * Reads a file of rules.
 *
 * @param document what `JSON.parse` made of it
 * @throws RulesError says what is wrong and where
 */
export function readRules(document: unknown): MatchingRules {
  if (!checkDocument(document)) throw mistake('', checkDocument.errors);
  const { version, rules, profiles } = document;
  rules.forEach((rule, index) => {
    const check = rule.kind === 'known' ? checkKnown : checkPlain;
    if (!check(rule)) throw mistake(`rules[${index}]`, check.errors);
    if (rules.findIndex((other) => other.id === rule.id) < index)
      throw new RulesError(`rules[${index}].id: ${rule.id} is there twice`);
    if (rule.kind !== 'known' && rules.findIndex((other) => other.kind === rule.kind) < index)
      throw new RulesError(`rules[${index}].kind: there is one rule of kind ${rule.kind} at most`);
  });
  const others = profiles['*'];
  if (others === undefined) throw new RulesError('profiles.*: is missing: it holds for profiles that are not named');
  const read = new Map(Object.entries(profiles).map(([name, one]) => [name, readTerms(name, one)]));
  const standard = readTerms('*', others);
  return {
    version,
    fingerprint: hash('sha256', canonical(document), 'base64url'),
    rules,
    termsOf: (profile) => read.get(profile) ?? standard,
    windowDays: Math.max(...[...read.values()].flatMap(({ daysBefore, daysAfter }) => [daysBefore, daysAfter])),
  };
}

/** JSON with the fields of objects in the order of their names. The order of lists says something, and stays. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, one: unknown) =>
    one === null || typeof one !== 'object' || Array.isArray(one)
      ? one
      : Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
}

/** The rules that are shipped. */
export function defaultRules(): MatchingRules {
  return readRules(defaultDocument);
}

function readTerms(profile: string, { feeTolerance: { basisPoints, absolute }, ...terms }: Terms): ProfileTerms {
  const amounts = Object.entries(absolute).map(([currency, text]): [string, bigint] => {
    const amount = parseMinor(text);
    if (exponentOf(currency) === undefined || typeof amount !== 'bigint')
      throw new RulesError(`profiles.${profile}.feeTolerance.absolute: ${currency} is no currency of ISO 4217`);
    return [currency, amount];
  });
  return { ...terms, basisPoints: BigInt(basisPoints), absolute: new Map(amounts) };
}

function mistake(place: string, errors: readonly ErrorObject[] | null | undefined): RulesError {
  const { instancePath, params, message, parentSchema, keyword } = errors?.[0] ?? ({} as Partial<ErrorObject>);
  const { missingProperty, additionalProperty } = (params ?? {}) as Record<string, string | undefined>;
  const path = [...(instancePath ?? '').split('/').slice(1), missingProperty ?? additionalProperty ?? ''];
  const where = path
    .filter((name) => name !== '')
    .reduce((all, name) => (/^[0-9]+$/.test(name) ? `${all}[${name}]` : all === '' ? name : `${all}.${name}`), place);
  if (keyword === 'required') return new RulesError(`${where}: is missing`);
  if (keyword === 'additionalProperties') return new RulesError(`${where}: is not known here`);
  const { enum: allowed, description } = (parentSchema ?? {}) as { enum?: string[]; description?: string };
  return new RulesError(`${where || 'the document'}: ${allowed?.join(', ') ?? description ?? message ?? 'is wrong'}`);
}
