import type { Told } from './watching.ts';

interface HasStatus {
  readonly status?: string;
}

/**
 * The status of one payment, as far as a watcher was told. An event that leaves the payment as it is has none: it is given
 * the one before, where that is known. (Whoever begins in the middle does not know it before the first one that says it.)
 */
export class CarriedStatus {
  #last: string | undefined;

  carriedBy(told: Told<unknown, unknown>): Told<unknown, unknown> {
    if (told.type === 'snapshot') this.#last = (told.state as HasStatus | null)?.status ?? this.#last;
    if (told.type !== 'unit') return told;
    const events = told.events.map((event) => {
      const { status = this.#last } = event as HasStatus;
      this.#last = status;
      return status === undefined ? event : { ...(event as object), status };
    });
    return { ...told, events };
  }
}
