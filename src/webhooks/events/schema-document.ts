import { Type } from 'typebox';
import { catalog, type EventKind, type EventType, eventTypes } from './catalog.ts';

/** Where the documents are found; it names, and need not lead anywhere. */
const BASE = 'https://kora.dev/events/';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema of an event as it is sent, envelope included. Open: fields may be added to a version, and a consumer
 * ignores those that it does not know.
 */
export function schemaOf(type: EventType): JsonSchema {
  const { version, summary, data }: EventKind = catalog[type];
  const schema = Type.Object({
    id: Type.String({ description: 'the same whenever the event is told again' }),
    type: Type.Literal(type),
    version: Type.Literal(version),
    createdAt: Type.String({ format: 'date-time', description: 'when it was recorded' }),
    subject: Type.String({
      description: 'payment/<id>, payout/<id>, account/<id> or connector/<id>: events of one subject come in order',
    }),
    sequence: Type.Integer({ minimum: 1, description: 'grows with each event of the subject, not always by one' }),
    data,
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `${BASE}${type}.v${version}.json`,
    title: `${type}, version ${version}`,
    description: summary,
    // As JSON: what typebox keeps beside it for itself is gone.
    ...(JSON.parse(JSON.stringify(schema)) as JsonSchema),
  };
}

/** `payment.captured.v1` → its schema. */
export function allSchemas(): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(eventTypes.map((type) => [`${type}.v${catalog[type].version}`, schemaOf(type)]));
}
