import { Command } from 'commander';
import { CommandError } from './exit-codes.ts';
import { note, printLine, type Shell } from './shell.ts';

export function demoCommand(shell: Shell): Command {
  return new Command('demo')
    .summary('a lifelike day on a database of its own')
    .description(
      'Plays a day of 2,000 customers and 50 merchants through the doors, on an embedded database in a temporary folder, ' +
        'with clients that watch and two providers of mobile money, one of which fails; then rebuilds the projections, verifies the log and says how it went.',
    )
    .option('--keep', 'go on serving afterwards, until Ctrl-C')
    .addHelpText(
      'after',
      `
Ends with exit code 1 when something was not as promised.

Examples:
  kora demo
  kora demo --keep`,
    )
    .action((flags: { keep?: true }) => demo(shell, flags.keep === true));
}

async function demo(shell: Shell, keep: boolean): Promise<void> {
  // Loaded here, because it brings clients of the doors along that no other command needs.
  const { runDemo } = await import('../demo/index.ts');
  const { problems } = await runDemo({
    say: (line) => printLine(shell, line),
    warn: (line) => note(shell, line.trimEnd()),
    signal: shell.interrupt.signal,
    ...(keep && { keep: () => shell.interrupt.asked() }),
  });
  if (problems.length > 0) throw new CommandError(`the demo found ${problems.length} problems`);
}
