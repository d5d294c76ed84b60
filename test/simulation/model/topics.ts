import type { RecordedUnit } from '../../../eventstore/index.ts';

interface TopicEvent {
  readonly position: number;
  readonly version: number;
  readonly type: string;
  readonly data: object;
}

const nothing: readonly TopicEvent[] = [];

/** Every topic of the stream as the log has it. */
export class Topics {
  readonly #events = new Map<string, TopicEvent[]>();

  take(unit: RecordedUnit): void {
    for (const row of unit.rows) {
      const [category = '', id = ''] = row.stream.split(/\/(.*)/s);
      if (category === 'request') continue;
      row.events.forEach(({ type, data }, index) => {
        // What only the decision about duplicates needs is not told.
        const { fingerprint: _, facts: __, ...told } = data as Record<string, unknown>;
        const event = {
          position: row.position + index,
          version: row.version + index,
          type,
          data: 'fingerprint' in data ? told : data,
        };
        this.#put(category === 'payment' ? row.stream : `account/${id}`, event);
        if (category === 'payment') this.#put('payments', event);
      });
    }
  }

  of(topic: string): readonly TopicEvent[] {
    return this.#events.get(topic) ?? nothing;
  }

  /** Index of the first event after a position. */
  after(topic: string, position: number): number {
    const events = this.of(topic);
    let index = events.length;
    while (index > 0 && (events[index - 1] as TopicEvent).position > position) index -= 1;
    return index;
  }

  #put(topic: string, event: TopicEvent): void {
    const events = this.#events.get(topic);
    if (events === undefined) this.#events.set(topic, [event]);
    else events.push(event);
  }
}
