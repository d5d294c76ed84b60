import HolidaysOf from 'date-holidays';
import { DateTime } from 'luxon';
import type { BankCalendar } from './config-schema.ts';

/** Says whether a day, as `2026-03-01`, is a public holiday. */
type IsHoliday = (day: string) => boolean;

/** A bank's days: what it works, and until when a payment counts for the day on which it was made. */
export class SettlementCalendar {
  readonly #calendar: BankCalendar;
  readonly #isHoliday: IsHoliday;

  constructor(calendar: BankCalendar) {
    this.#calendar = calendar;
    const days = new Set(calendar.holidays);
    const isPublic = calendar.country === undefined ? undefined : publicHolidays(calendar.country);
    this.#isHoliday = (day) => days.has(day) || isPublic?.(day) === true;
  }

  /**
   * J+1: when what was taken on at an instant is settled. Until the cut-off of a day on which the bank works a payment is
   * of that day, later it is of the next one; it is settled on the working day after that, by the cut-off.
   */
  settlesAt(takenOnAt: Date): Date {
    const { timeZone, cutOff } = this.#calendar;
    const [hour = 0, minute = 0] = cutOff.split(':').map(Number);
    const local = DateTime.fromJSDate(takenOnAt, { zone: timeZone });
    const cutOffOf = (day: DateTime): DateTime => day.set({ hour, minute, second: 0, millisecond: 0 });
    const isToday = this.#works(local) && local < cutOffOf(local);
    const businessDay = isToday ? local : this.#nextDay(local);
    return cutOffOf(this.#nextDay(businessDay)).toJSDate();
  }

  #works(day: DateTime): boolean {
    return day.weekday <= 5 && !this.#isHoliday(day.toFormat('yyyy-MM-dd'));
  }

  #nextDay(day: DateTime): DateTime {
    let next = day.startOf('day').plus({ days: 1 });
    // No country has a month of holidays: a calendar that has one is wrong, and must not stop payments.
    for (let tries = 0; !this.#works(next) && tries < 31; tries++) next = next.plus({ days: 1 });
    return next;
  }
}

/** The public holidays of a country of ISO 3166, by the year, from the library's tables. */
function publicHolidays(country: string): IsHoliday {
  const holidays = new HolidaysOf(country);
  const years = new Map<string, ReadonlySet<string>>();
  return (day) => {
    const year = day.slice(0, 4);
    let days = years.get(year);
    if (days === undefined) {
      const all = holidays.getHolidays(Number(year)).filter(({ type }) => type === 'public' || type === 'bank');
      years.set(year, (days = new Set(all.map(({ date }) => date.slice(0, 10)))));
    }
    return days.has(day);
  };
}
