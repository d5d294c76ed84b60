import { Command } from 'commander';
import type { Shell } from './shell.ts';

/** What `src/demo/index.ts` exports. */
export interface DemoModule {
  /** @param options.keep go on serving when the day is over */
  runDemo(shell: Shell, options: { readonly keep: boolean; readonly json: boolean }): Promise<void>;
}

export function demoCommand(shell: Shell): Command {
  return new Command('demo')
    .summary('a lifelike day on a database of its own')
    .description(
      'Plays a day of 2,000 customers and 50 merchants through the doors, on an embedded database in a temporary folder, ' +
        'with clients that watch; then rebuilds the balances, verifies the log and says how it went.',
    )
    .option('--keep', 'go on serving afterwards, until Ctrl-C')
    .option('--json', 'print the figures as one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora demo
  kora demo --keep`,
    )
    .action(async (flags: { keep?: true; json?: true }) => {
      const demo = (await import(new URL('../demo/index.ts', import.meta.url).href)) as DemoModule;
      await demo.runDemo(shell, { keep: flags.keep === true, json: flags.json === true });
    });
}
