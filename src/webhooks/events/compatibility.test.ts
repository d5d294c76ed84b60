import { describe, expect, it } from 'vitest';
import { incompatibilities } from './compatibility.ts';
import released from './released.json' with { type: 'json' };
import { allSchemas, feedSchemas, type JsonSchema } from './schema-document.ts';

/** Proves that what was released to others still holds, and that the check which says so can fail. */
describe('the events that were released', () => {
  const current = { ...allSchemas(), ...feedSchemas() };
  it('are told as they were released', () => {
    expect(incompatibilities(released, current)).toEqual([]);
  });

  it('hold every version that is told: one that is not released yet would not be held to anything', () => {
    expect(Object.keys(current).filter((name) => !(name in released))).toEqual([]);
  });
});

describe('incompatibilities', () => {
  const name = 'thing.done.v1';
  const before = schema({ id: { type: 'string' }, note: { type: 'string', pattern: '^a' } }, ['id']);
  const against = (now: JsonSchema): string[] => incompatibilities({ [name]: before }, { [name]: now });

  function schema(properties: Record<string, object>, required: string[], more: object = {}): JsonSchema {
    return {
      type: 'object',
      properties: { data: { type: 'object', properties, required, ...more } },
      required: ['data'],
    };
  }

  it('takes a new optional field, other words, and a new version beside', () => {
    const now = schema(
      {
        id: { type: 'string', description: 'which' },
        note: { type: 'string', pattern: '^a' },
        more: { type: 'integer' },
      },
      ['id'],
      { description: 'what' },
    );
    expect(incompatibilities({ [name]: before }, { [name]: now, 'thing.done.v2': schema({}, []) })).toEqual([]);
  });

  const note = { type: 'string', pattern: '^a' };
  const id = { type: 'string' };
  it.each([
    ['a field is gone', schema({ id }, ['id']), 'thing.done.v1.data.note: was released, and is gone'],
    [
      'a type is another',
      schema({ id: { type: 'integer' }, note }, ['id']),
      'thing.done.v1.data.id: type was "string", and is "integer"',
    ],
    [
      'a type is narrower',
      schema({ id: { type: 'string', maxLength: 9 }, note }, ['id']),
      'thing.done.v1.data.id: maxLength was not there, and is 9',
    ],
    [
      'a type is wider',
      schema({ id, note: { type: 'string' } }, ['id']),
      'thing.done.v1.data.note: pattern was "^a", and is gone',
    ],
    [
      'an optional field is required',
      schema({ id, note }, ['id', 'note']),
      'thing.done.v1.data.note: is required, and old events may lack it',
    ],
    [
      'a required field is optional',
      schema({ id, note }, []),
      'thing.done.v1.data.id: was always there, and may be missing',
    ],
    [
      'a new field is required',
      schema({ id, note, more: id }, ['id', 'more']),
      'thing.done.v1.data.more: is new and required, and old events lack it',
    ],
    [
      'it is closed now',
      schema({ id, note }, ['id'], { additionalProperties: false }),
      'thing.done.v1.data: additionalProperties was not there, and is false',
    ],
  ])('says that %s', (_, now, sentence) => {
    expect(against(now)).toEqual([sentence]);
  });

  it('says that a version is gone', () => {
    expect(incompatibilities({ [name]: before }, {})).toEqual(['thing.done.v1: was released, and is gone']);
  });
});
