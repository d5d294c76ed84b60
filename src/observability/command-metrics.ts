import type { Registry } from 'prom-client';
import type { CommandObserver } from '../actors/runtime.ts';
import { type Count, Counts } from '../platform/metrics/counts.ts';
import { gaugeOf } from '../platform/metrics/readings.ts';
import { type Observed, secondsBounds, Spread } from '../platform/metrics/spread.ts';

export interface RuntimeFigures {
  readonly atWork: number;
  readonly residents: number;
}

/** What commands come to: `done`, `duplicate` (answered as before), the code of a refusal, or `fault`. */
export function commandMetrics(registry: Registry): CommandObserver {
  const commands = new Counts(registry, {
    name: 'kora_commands_total',
    help: 'Commands answered, by type and by what they came to',
    labels: ['type', 'outcome'],
  });
  const seconds = new Spread(registry, {
    name: 'kora_command_seconds',
    help: 'From the command to its durable answer',
    labels: ['type'],
    bounds: secondsBounds,
  });
  // Twelve thousand commands a second come by: two looks into a map each, and two additions.
  const ofTypes = new Map<string, { readonly seconds: Observed; readonly outcomes: Map<string, Count> }>();
  return (type, outcome, tookMs) => {
    let ofType = ofTypes.get(type);
    if (ofType === undefined) {
      ofType = { seconds: seconds.of(type), outcomes: new Map() };
      ofTypes.set(type, ofType);
    }
    let code = 'fault';
    if (outcome !== undefined) code = outcome.duplicate ? 'duplicate' : outcome.ok ? 'done' : outcome.refusal.code;
    let count = ofType.outcomes.get(code);
    if (count === undefined) {
      count = commands.of(type, code);
      ofType.outcomes.set(code, count);
    }
    count.value += 1;
    ofType.seconds.observe(tookMs / 1_000);
  };
}

export function runtimeMetrics(registry: Registry, runtime: RuntimeFigures): void {
  gaugeOf(registry, { name: 'kora_requests_at_work', help: 'Requests that are not answered yet', labels: [] }, () => [
    { labels: {}, value: runtime.atWork },
  ]);
  gaugeOf(registry, { name: 'kora_residents', help: 'Actors (payments, wallets) in memory', labels: [] }, () => [
    { labels: {}, value: runtime.residents },
  ]);
}
