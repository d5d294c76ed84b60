import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { checkpointFolderOf } from '../checkpointing.ts';
import { sentenceOf } from '../platform/sentence-of.ts';
import { checkSignature, parseCheckpoint, type SignedCheckpoint } from '../signed-checkpoints/checkpoint.ts';
import { readTrustedKeys } from '../signed-checkpoints/key.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { configured, type Shell } from './shell.ts';

/**
 * Reads a checkpoint and believes it, because a key that we trust has signed it. Looks at nothing else: a checkpoint that
 * proves nothing is told before the log is read.
 *
 * @throws CommandError where it is not to be believed
 */
export async function trustedCheckpoint(
  shell: Shell,
  flags: { readonly against?: string; readonly key?: string },
): Promise<SignedCheckpoint | undefined> {
  const { against: file, key } = flags;
  if (file === undefined) {
    if (key !== undefined) throw new CommandError('--key goes with --against', exitCodes.usage.code);
    return undefined;
  }
  let checkpoint: SignedCheckpoint;
  try {
    checkpoint = parseCheckpoint(await readFile(file));
  } catch (error) {
    throw new CommandError(`${file} is no signed checkpoint: ${sentenceOf(error)}`);
  }
  switch (checkSignature(checkpoint, await trustedKeys(shell, flags))) {
    case 'good':
      return checkpoint;
    case 'unknown key':
      throw new CommandError(
        `unknown key: ${file} says that the key ${checkpoint.key} signed it, and that is none of ours`,
      );
    case 'bad signature':
      throw new CommandError(`bad signature: ${file} was changed after it was signed, or was never signed by our key`);
  }
}

async function trustedKeys(shell: Shell, flags: { readonly key?: string }): Promise<KeyObject[]> {
  const folder = checkpointFolderOf(configured(shell, flags).config);
  if (flags.key === undefined && folder === undefined) {
    throw new CommandError(
      '--key is wanted: the public key that must have signed the checkpoint',
      exitCodes.usage.code,
    );
  }
  try {
    return await readTrustedKeys(flags.key === undefined ? { folder: folder ?? '' } : { file: flags.key });
  } catch (error) {
    throw new CommandError(sentenceOf(error));
  }
}
