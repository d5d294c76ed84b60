/** The process that matches a night's file while payments are measured, in a database of its own. Forked. */
import type pg from 'pg';
import { giveWay } from '../../src/platform/give-way.ts';
import { prepareNight } from './match.ts';

export interface PrepareNight {
  readonly database: pg.ClientConfig;
  readonly deals: number;
}
/** What it says: everything is prepared; everything is matched. */
export type NightSays = 'prepared' | 'matched';

// As `kora serve --roles reconciliation` does.
giveWay();

async function work({ database, deals }: PrepareNight): Promise<void> {
  const night = await prepareNight(database, deals);
  process.send?.('prepared' satisfies NightSays);
  await new Promise((resolve) => process.once('message', resolve));
  await night.match(() => undefined);
  process.send?.('matched' satisfies NightSays);
}

// Nobody asks any more.
process.once('disconnect', () => process.exit(0));
process.once('message', (message: PrepareNight) => {
  work(message).catch((error: unknown) => {
    process.stderr.write(`the night fails: ${String(error)}\n`);
    process.exit(1);
  });
});
