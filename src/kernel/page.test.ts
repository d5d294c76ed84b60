import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { keyAfter, type ListName, PAGE_LIMIT_MAX, type PageOf, pageOf } from './page.ts';

/** Proves that pages put together are the list, and that a cursor is good for the list that gave it and no other. */
const any = [/^[^]*$/];
const list = { list: 'numbers', above: '3' };

/** A page of an ascending list of numbers. */
function page(of: ListName, numbers: readonly number[], limit: number, cursor?: string): PageOf<number> {
  const wanted = { limit, ...(cursor !== undefined && { cursor }) };
  const [after] = keyAfter(of, wanted, [/^[0-9]+$/]) ?? [];
  const rest = numbers.filter((number) => after === undefined || number > Number(after));
  return pageOf(of, wanted, rest.slice(0, limit + 1), (number) => [String(number)]);
}

describe('pages', () => {
  test.prop([fc.uniqueArray(fc.nat(10_000), { maxLength: 60 }), fc.integer({ min: 1, max: 20 })])(
    'put together are the list',
    (some, limit) => {
      const numbers = some.sort((one, other) => one - other);
      const read: number[] = [];
      for (let next: string | undefined, first = true; first || next !== undefined; first = false) {
        const { items, next: following } = page(list, numbers, limit, next);
        expect(items.length).toBe(Math.min(limit, numbers.length - read.length));
        read.push(...items);
        next = following;
      }
      expect(read).toEqual(numbers);
    },
  );

  it('end without a cursor, also when the last one is full', () => {
    expect(page(list, [1, 2], 2)).toEqual({ items: [1, 2] });
    expect(page(list, [], 2)).toEqual({ items: [] });
  });
});

describe('a cursor', () => {
  const { next = '' } = page(list, [1, 2, 3], 2);

  it('says nothing to whoever looks at it but that it is one', () => {
    expect(next).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(keyAfter(list, { limit: 1, cursor: next }, any)).toEqual(['2']);
  });

  test.prop([
    fc.oneof(
      fc.string(),
      fc.string().map((text) => Buffer.from(text).toString('base64url')),
      fc.json(),
    ),
  ])('that nobody gave is refused, whatever it is', (cursor) => {
    expect(() => keyAfter(list, { limit: 1, cursor }, any)).toThrow(
      expect.objectContaining({ name: 'PageError', code: 'Invalid', field: 'cursor' }) as Error,
    );
  });

  it('of another list, or of the same list with another filter, is refused', () => {
    for (const other of [{ list: 'letters', above: '3' }, { list: 'numbers' }, { list: 'numbers', above: '4' }]) {
      expect(() => keyAfter(other, { limit: 1, cursor: next }, any)).toThrow(/same filters/);
    }
  });

  it('of parts that the list does not have is refused', () => {
    expect(() => keyAfter(list, { limit: 1, cursor: next }, [/^[a-z]+$/])).toThrow(/no cursor of this list/);
    expect(() => keyAfter(list, { limit: 1, cursor: next }, [...any, ...any])).toThrow(/no cursor of this list/);
  });
});

it('a page holds 1 to 200 items', () => {
  for (const limit of [0, -1, 1.5, NaN, Infinity, PAGE_LIMIT_MAX + 1]) {
    expect(() => keyAfter(list, { limit }, any)).toThrow(expect.objectContaining({ field: 'limit' }) as Error);
  }
  expect(keyAfter(list, { limit: PAGE_LIMIT_MAX }, any)).toBeUndefined();
});
