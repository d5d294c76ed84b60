import { describe, expect, it } from 'vitest';
import { SettlementCalendar } from './calendar.ts';

/** Proves that J+1 is counted in the days of the bank: its hour, its zone, its week and its holidays. */
describe('a settlement calendar', () => {
  const abidjan = new SettlementCalendar({ timeZone: 'Africa/Abidjan', cutOff: '16:30', country: 'CI' });
  const settled = (calendar: SettlementCalendar, at: string): string => calendar.settlesAt(new Date(at)).toISOString();

  it.each([
    ['before the cut-off it is of the day', '2026-03-03T16:29:59.999Z', '2026-03-04T16:30:00.000Z'],
    ['at the cut-off it is of the next day', '2026-03-03T16:30:00.000Z', '2026-03-05T16:30:00.000Z'],
    ['on Thursday it is settled on Friday', '2026-03-05T10:00:00.000Z', '2026-03-06T16:30:00.000Z'],
    ['on Friday it is settled on Monday', '2026-03-06T10:00:00.000Z', '2026-03-09T16:30:00.000Z'],
    ['late on Friday it is of Monday', '2026-03-06T17:00:00.000Z', '2026-03-10T16:30:00.000Z'],
    ['on Sunday it is of Monday', '2026-03-08T10:00:00.000Z', '2026-03-10T16:30:00.000Z'],
    ['the first of May, a Friday, is a day off', '2026-04-30T10:00:00.000Z', '2026-05-04T16:30:00.000Z'],
    ['the seventh of August is a holiday of the country', '2026-08-06T10:00:00.000Z', '2026-08-10T16:30:00.000Z'],
  ])('%s', (_title, at, due) => {
    expect(settled(abidjan, at)).toBe(due);
  });

  it('goes by the clock of its zone, through the change to summer time', () => {
    const berlin = new SettlementCalendar({ timeZone: 'Europe/Berlin', cutOff: '14:00' });
    // The clocks go forward on Sunday 29 March 2026: 14:00 is 13:00 UTC before it and 12:00 UTC after it.
    expect(settled(berlin, '2026-03-27T12:59:00.000Z')).toBe('2026-03-30T12:00:00.000Z');
    expect(settled(berlin, '2026-03-27T13:00:00.000Z')).toBe('2026-03-31T12:00:00.000Z');
    // Shortly before midnight in Berlin it is still the day before in UTC, and the other way round.
    expect(settled(berlin, '2026-03-31T22:30:00.000Z')).toBe('2026-04-02T12:00:00.000Z');
  });

  it('knows days off that only this bank has', () => {
    const bank = new SettlementCalendar({ timeZone: 'UTC', cutOff: '12:00', holidays: ['2026-03-04'] });
    expect(settled(bank, '2026-03-03T10:00:00.000Z')).toBe('2026-03-05T12:00:00.000Z');
  });
});
