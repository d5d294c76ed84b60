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
import { parseStatements, type ParseFlags } from './statements-parse.ts';

const actions = ['parse', 'import', 'list', 'show', 'release', 'reseal'] as const;
type Action = (typeof actions)[number];

export function statementsCommand(shell: Shell): Command {
  const command = new Command('statements')
    .summary('what a bank or provider has reported: read it, take it in, look at it')
    .description(
      'parse reads files of MT940, MT942, camt.052, camt.053, camt.054 or CSV and prints what is in them. Nothing is ' +
        'stored, and no database is needed. Ends with 0 when all is read, with 2 when something in it cannot be right, ' +
        'with 1 when a file cannot be read; line and column are on stderr.\n\n' +
        'import takes a file in as if it had been fetched: it is kept sealed, and its lines are in once, whatever files ' +
        'report them. list shows the newest, show one of them with what is wrong in it. release lets a file count that ' +
        'failed a check. reseal wraps the keys of statements with the newest key of KORA_STATEMENT_KEYS. These work ' +
        'beside a kora that serves.',
    )
    .addArgument(new Argument('<action>', 'what to do').choices(actions))
    .argument(
      '[files...]',
      'of parse and import files, as the bank sent them; of show and release the id of a statement',
    )
    .addOption(
      new Option('--format <format>', 'of parse; default: seen in the file').choices([
        'mt940',
        'mt942',
        'camt.052',
        'camt.053',
        'camt.054',
        'csv',
      ]),
    )
    .option('--currency <code>', 'of parse: for files that do not say it')
    .addOption(
      new Option('--charset <name>', 'of parse: for files whose bytes do not show it').choices([
        'utf-8',
        'utf-16le',
        'utf-16be',
        'iso-8859-1',
        'iso-8859-15',
        'windows-1252',
        'us-ascii',
      ]),
    )
    .option('--mapping <name>', 'of parse, for csv: a mapping that is shipped, or the path of one')
    .option('--schema <file>', 'of parse, for XML: an XSD that the document is held against')
    .option('--profile <id>', 'the bank profile: of import whose file it is, of list only those')
    .option('--status <status>', 'of list: received, parsed, quarantined or unreadable')
    .option('--limit <n>', 'of list: how many, 1 to 200', '50')
    .option('--reason <text>', 'of release: why, in one line without personal data')
    .addOption(new Option('--principal <id>', 'of import and release: who does it, user:<id>').default(OPERATOR))
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora statements parse STA20261127.940
  kora statements parse report.csv --mapping stripe-balance --json
  kora statements import STA20261127.940 --profile bank:AB --connectors connectors.json
  kora statements list --status quarantined
  kora statements release 0b0c9a3e-6f5d-4d0e-9a39-3c9f1a0a7a10 --reason "the bank has confirmed it"`,
    );
  takes(command, 'dataDir', 'connectorsFile');
  return command.action((action: Action, files: readonly string[], flags: ParseFlags & StatementFlags) =>
    run(shell, action, files, flags),
  );
}

function run(
  shell: Shell,
  action: Action,
  files: readonly string[],
  flags: ParseFlags & StatementFlags,
): Promise<void> {
  switch (action) {
    case 'parse':
      if (files.length === 0) throw wanted(action, 'a file');
      return parseStatements(shell, files, flags);
    case 'import':
      return importStatement(shell, flags, only(action, files, 'one file'));
    case 'show':
      return showStatement(shell, flags, only(action, files, 'the id of a statement'));
    case 'release':
      return releaseStatement(shell, flags, only(action, files, 'the id of a statement'));
    case 'reseal':
      return resealStatements(shell, flags);
    case 'list':
      return listStatements(shell, flags);
  }
}

function only(action: Action, files: readonly string[], kind: string): string {
  const [first] = files;
  if (first === undefined || files.length > 1) throw wanted(action, kind);
  return first;
}

function wanted(action: Action, kind: string): CommandError {
  return new CommandError(`statements ${action}: ${kind} is wanted`, exitCodes.usage.code);
}
