import type { Author } from './author.ts';
import type { ProvidersPlan } from '../world/provider-plan.ts';
import { customers } from './wallets.ts';

/** Clients of the stream. */
export function watchers(author: Author): void {
  const { random } = author;
  for (let left = random.whole(0, 3); left > 0; left--) {
    const all = [
      'payments',
      ...customers.map((id) => `account/${id}`),
      'account/shop',
      'account/kiosk',
      'account/receivable:cash:XOF',
      'account/clearing:XOF',
      'account/clearing:GHS',
      `payment/${author.past().id}`,
      `payment/${author.past('MERCHANT').id}`,
    ];
    const topics = all.filter((topic, index) => random.chance(0.5) && all.indexOf(topic) === index);
    if (topics.length === 0) continue;
    author.operations.push({ do: 'watch', atMs: author.anyTime() - 100, name: `w${left}`, topics });
  }
}

/** What happens to machines. */
export function faults(author: Author, machines: number): void {
  const { random } = author;
  for (let left = random.whole(1, 6); left > 0; left--) {
    const machine = random.whole(0, machines - 1);
    const at = { atMs: author.anyTime(), name: `f${left}` };
    const downMs = random.pick([5, 100, 1_500]);
    const clockOf = random.chance(0.2) ? 'store' : machine;
    const fault = random.weighted({ kill: 5, stop: 1, 'kill projector': 3, 'turn clock': 2, 'fill disk': 1 });
    if (fault === 'turn clock') {
      const jumpMs = random.pick([-5_000, -300, 300, 5_000, 60_000]);
      author.operations.push({ ...at, do: fault, machine: clockOf, jumpMs });
    } else if (fault === 'fill disk') {
      const what = random.pick(['tables', 'tables', 'log ahead'] as const);
      // Above five seconds commands are refused before anything is begun.
      const fullMs = random.pick([100, 1_000, 3_000, 12_000]);
      author.operations.push({ ...at, do: fault, what, fullMs });
    } else author.operations.push({ ...at, do: fault, machine, downMs });
  }
}

/** Providers that are away for a while. */
export function outages(author: Author, { connectors }: ProvidersPlan): void {
  const { random } = author;
  for (let left = random.whole(1, 3); left > 0; left--) {
    const { id: connector } = random.pick(connectors);
    const lengthMs = random.pick([200, 2_000, 15_000]);
    author.operations.push({ do: 'outage', atMs: author.anyTime(), name: `o${left}`, connector, lengthMs });
  }
}
