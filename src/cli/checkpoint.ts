import { Command } from 'commander';
import { existsSync } from 'node:fs';
import { readHead } from '../../eventstore/postgres/read-head.ts';
import { checkpointFolderOf } from '../checkpointing.ts';
import { refuseElsewhere } from '../not-on-this-store.ts';
import { thumbprintOf } from '../platform/ed25519.ts';
import { endOf } from '../signed-checkpoints/checkpoint.ts';
import { checkpointKeyOf, publicPem } from '../signed-checkpoints/key.ts';
import { writeCheckpoint } from '../signed-checkpoints/write-checkpoint.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { configured, printJson, printLine, type Shell, takes } from './shell.ts';
import { withStore } from './with-store.ts';

interface Flags {
  readonly publicKey?: true;
  readonly json?: true;
}

export function checkpointCommand(shell: Shell): Command {
  const command = new Command('checkpoint')
    .summary('sign the head of the log now, and write it to a file')
    .description(
      'Signs the last hash of the log, which is over everything before it, and writes it to the folder of the signed ' +
        'checkpoints, as `kora serve` does every few minutes. Copied to where nobody who can write the database can, it ' +
        'proves later that history was not changed: kora verify --against <file>.',
    )
    .option('--public-key', 'print the public key that checkpoints are checked with, as PEM, and write nothing')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora checkpoint
  kora checkpoint --public-key > checkpoint-key.pem
  kora verify --against <file> --key checkpoint-key.pem`,
    );
  takes(command, 'dataDir');
  return command.action((flags: Flags) => checkpoint(shell, flags));
}

async function checkpoint(shell: Shell, flags: Flags): Promise<void> {
  const { config } = configured(shell, { ...flags });
  if (flags.publicKey === true) return printPublicKey(shell, flags);
  refuseElsewhere(config, 'which has no hash chain to sign');
  const folder = checkpointFolderOf(config);
  if (folder === undefined) {
    throw new CommandError('with DATABASE_URL, KORA_CHECKPOINT_DIR says where to write', exitCodes.usage.code);
  }
  const { head, file } = await withStore(shell, flags, async ({ pool }) => {
    const last = await readHead(pool);
    if (last === undefined) throw new CommandError('the log is empty: there is nothing to sign');
    const key = await checkpointKeyOf(config.checkpointKey, config.dataDir);
    return { head: last, ...(await writeCheckpoint(last, { folder, key, now: new Date() })) };
  });
  if (flags.json === true) printJson(shell, { file, position: endOf(head), hash: head.hash.toString('hex') });
  else printLine(shell, file);
}

async function printPublicKey(shell: Shell, flags: Flags): Promise<void> {
  const { config } = configured(shell, { ...flags });
  if (config.checkpointKey === undefined && !existsSync(config.dataDir)) {
    throw new CommandError(
      `there is no data folder ${config.dataDir} yet: start \`kora serve\` once, it makes the key`,
    );
  }
  const key = await checkpointKeyOf(config.checkpointKey, config.dataDir);
  const pem = publicPem(key);
  if (flags.json === true) printJson(shell, { key: thumbprintOf(key.publicKey), publicKey: pem });
  else shell.stdout.write(pem);
}
