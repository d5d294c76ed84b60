import { Argument, Command, Option } from 'commander';
import { CommandError, exitCodes } from './exit-codes.ts';
import { type Shell, takes } from './shell.ts';
import {
  importStatement,
  listStatements,
  OPERATOR,
  releaseStatement,
  resealStatements,
  showStatement,
  type StatementFlags,
} from './statement-files.ts';

export function statementsCommand(shell: Shell): Command {
  const command = new Command('statements')
    .summary("banks' files: takes one in, lists them, shows one, lets a quarantined one count")
    .description(
      'import takes a file in as if it had been fetched: it is kept sealed, and its lines are in once, whatever files report ' +
        'them. list (the default) shows the newest, show one of them with what is wrong in it. release lets a file count that ' +
        'failed a check. reseal wraps the keys of statements with the newest key of KORA_STATEMENT_KEYS. Works beside a kora ' +
        'that serves.',
    )
    .addArgument(
      new Argument('[action]', 'what to do').choices(['import', 'list', 'show', 'release', 'reseal']).default('list'),
    )
    .argument('[what]', 'a file, or the id of a statement')
    .option('--profile <id>', 'the bank profile: of import whose file it is, of list only those')
    .option('--status <status>', 'of list: received, parsed, quarantined or unreadable')
    .option('--limit <n>', 'of list: how many, 1 to 200', '50')
    .option('--reason <text>', 'of release: why, in one line without personal data')
    .addOption(new Option('--principal <id>', 'who does it, user:<id>').default(OPERATOR))
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora statements import 2026-11-27.sta --profile bank:AB --connectors connectors.json
  kora statements list --status quarantined
  kora statements release 0b0c9a3e-6f5d-4d0e-9a39-3c9f1a0a7a10 --reason "the bank has confirmed it"`,
    );
  takes(command, 'dataDir', 'connectorsFile');
  return command.action((action: string, what: string | undefined, flags: StatementFlags) => {
    switch (action) {
      case 'import':
        return importStatement(shell, flags, wanted(action, what, 'a file'));
      case 'show':
        return showStatement(shell, flags, wanted(action, what, 'the id of a statement'));
      case 'release':
        return releaseStatement(shell, flags, wanted(action, what, 'the id of a statement'));
      case 'reseal':
        return resealStatements(shell, flags);
      default:
        return listStatements(shell, flags);
    }
  });
}

function wanted(action: string, what: string | undefined, kind: string): string {
  if (what === undefined) throw new CommandError(`statements ${action}: ${kind} is wanted`, exitCodes.usage.code);
  return what;
}
