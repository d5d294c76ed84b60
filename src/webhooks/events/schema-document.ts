import { type TProperties, Type } from 'typebox';
import { catalog, type EventKind, type EventType, eventTypes } from './catalog.ts';
import { statementLineKind, tokens } from './feed-catalog.ts';

/** Where the documents are found; it names, and need not lead anywhere. */
const BASE = 'https://kora.dev/events/';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema of an event as it is sent, envelope included. Open: fields may be added to a version, and a consumer
 * ignores those that it does not know.
 */
export function schemaOf(type: EventType): JsonSchema {
  const { version, summary, data }: EventKind = catalog[type];
  return documentOf(type, version, summary, {
    type: Type.Literal(type),
    version: Type.Literal(version),
    ...envelope('payment/<id>, payout/<id>, account/<id> or connector/<id>'),
    data,
  });
}

function envelope(subjects: string) {
  return {
    createdAt: Type.String({ format: 'date-time', description: 'when it was recorded' }),
    subject: Type.String({ description: `${subjects}: events of one subject come in order` }),
    sequence: Type.Integer({ minimum: 1, description: 'grows with each event of the subject, not always by one' }),
  };
}

function documentOf(name: string, version: number, description: string, fields: TProperties): JsonSchema {
  const schema = Type.Object({
    id: Type.String({ description: 'the same whenever the event is told again' }),
    ...fields,
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `${BASE}${name}.v${version}.json`,
    title: `${name}, version ${version}`,
    description,
    // As JSON: what typebox keeps beside it for itself is gone.
    ...(JSON.parse(JSON.stringify(schema)) as JsonSchema),
  };
}

/** Of what is told in feeds alone: the envelope that all of their events have, and lines of statements. */
export function feedSchemas(): Readonly<Record<string, JsonSchema>> {
  const { type, version, summary, data } = statementLineKind;
  const anyEvent = 'What every event of a feed has.';
  return {
    'feed.envelope.v1': documentOf('feed.envelope', 1, anyEvent, {
      type: Type.String({ pattern: '^[a-z_]+\\.[a-z_]+$' }),
      version: Type.Integer({ minimum: 1 }),
      ...envelope('payment/<id>, line/<id> …'),
      data: Type.Object({}),
      tokens,
    }),
    [`${type}.v${version}`]: documentOf(type, version, summary, {
      type: Type.Literal(type),
      version: Type.Literal(version),
      ...envelope('line/<id>'),
      data,
      tokens,
    }),
  };
}

/** `payment.captured.v1` → its schema. */
export function allSchemas(): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(eventTypes.map((type) => [`${type}.v${catalog[type].version}`, schemaOf(type)]));
}
