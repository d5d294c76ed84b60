import { Argument, Command, Option } from 'commander';
import { parseStatements, type ParseFlags } from './statements-parse.ts';
import type { Shell } from './shell.ts';

export function statementsCommand(shell: Shell): Command {
  return new Command('statements')
    .summary('what a bank or provider has reported')
    .description(
      'parse reads files of MT940, MT942, camt.052, camt.053, camt.054 or CSV and prints what is in them. Nothing is ' +
        'stored, and no database is needed. Ends with 0 when all is read, with 2 when something in it cannot be right, ' +
        'with 1 when a file cannot be read; line and column are on stderr.',
    )
    .addArgument(new Argument('<action>', 'what to do').choices(['parse']))
    .argument('<files...>', 'the files, as the bank sent them')
    .addOption(
      new Option('--format <format>', 'default: seen in the file').choices([
        'mt940',
        'mt942',
        'camt.052',
        'camt.053',
        'camt.054',
        'csv',
      ]),
    )
    .option('--currency <code>', 'for files that do not say it')
    .addOption(
      new Option('--charset <name>', 'for files whose bytes do not show it').choices([
        'utf-8',
        'utf-16le',
        'utf-16be',
        'iso-8859-1',
        'iso-8859-15',
        'windows-1252',
        'us-ascii',
      ]),
    )
    .option('--mapping <name>', 'of csv: a mapping that is shipped, or the path of one')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora statements parse STA20261127.940
  kora statements parse report.csv --mapping stripe-balance --json`,
    )
    .action((_: 'parse', files: readonly string[], flags: ParseFlags) => parseStatements(shell, files, flags));
}
