import type { JsonSchema } from './schema-document.ts';

/** Says nothing of which values are good. */
const annotations = new Set(['description', 'title', 'examples', '$id', '$schema']);

/**
 * What has changed since the release that somebody would trip over: who reads new events with old code, or old events (a
 * replay, a queue, an archive) with new code. So a version may get optional fields and other words, and nothing else; for
 * the rest there is a new version beside it.
 *
 * @param released, current schemas by `<type>.v<version>`
 * @returns a sentence for each; empty: nothing breaks
 */
export function incompatibilities(
  released: Readonly<Record<string, JsonSchema>>,
  current: Readonly<Record<string, JsonSchema>>,
): string[] {
  return Object.entries(released).flatMap(([name, before]) => {
    const now = current[name];
    return now === undefined ? [`${name}: was released, and is gone`] : compared(name, before, now);
  });
}

function compared(path: string, before: JsonSchema, now: JsonSchema): string[] {
  const found: string[] = [];
  for (const keyword of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (annotations.has(keyword) || keyword === 'properties' || keyword === 'required') continue;
    const [old, changed] = [textOf(before[keyword], 'not there'), textOf(now[keyword], 'gone')];
    if (old !== changed) found.push(`${path}: ${keyword} was ${old}, and is ${changed}`);
  }
  const [oldFields, fields] = [fieldsOf(before), fieldsOf(now)];
  for (const [name, { schema, required }] of oldFields) {
    const field = fields.get(name);
    const at = `${path}.${name}`;
    if (field === undefined) {
      found.push(`${at}: was released, and is gone`);
      continue;
    }
    if (required && !field.required) found.push(`${at}: was always there, and may be missing`);
    if (!required && field.required) found.push(`${at}: is required, and old events may lack it`);
    found.push(...compared(at, schema, field.schema));
  }
  for (const [name, { required }] of fields) {
    if (required && !oldFields.has(name)) found.push(`${path}.${name}: is new and required, and old events lack it`);
  }
  return found;
}

function textOf(value: unknown, absent: string): string {
  return value === undefined ? absent : JSON.stringify(value);
}

interface Field {
  readonly schema: JsonSchema;
  readonly required: boolean;
}

function fieldsOf(schema: JsonSchema): Map<string, Field> {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const required = (schema['required'] ?? []) as readonly string[];
  return new Map(
    Object.entries(properties).map(([name, field]) => [name, { schema: field, required: required.includes(name) }]),
  );
}
