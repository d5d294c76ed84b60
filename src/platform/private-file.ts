import { randomUUID } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that must be its owner's alone is not. */
export class PrivateFileError extends Error {
  override readonly name = 'PrivateFileError';
  readonly code = 'PrivateFile';
}

/**
 * The text of `<dataDir>/keys/<name>`, made at the first call. Processes that start at once all get the same one.
 *
 * @param make gives the text of a new file
 * @throws PrivateFileError where others than its owner can read the file
 */
export async function loadOrCreatePrivateFile(
  dataDir: string,
  name: string,
  make: () => string | Buffer,
): Promise<{ readonly file: string; readonly text: string }> {
  const folder = join(dataDir, 'keys');
  const file = join(folder, name);
  const existing = await readPrivateFile(file);
  if (existing !== undefined) return { file, text: existing };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Written under another name and linked into place: the file is never seen half written, and the first one stays.
  const draft = join(folder, `.${name}-${randomUUID()}`);
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(make());
      await handle.sync();
    } finally {
      await handle.close();
    }
    // The umask can only have taken bits away; this makes it exactly 0600.
    await chmod(draft, 0o600);
    await link(draft, file).catch(ignoring('EEXIST'));
  } finally {
    await rm(draft, { force: true });
  }
  const created = await readPrivateFile(file);
  if (created === undefined) throw new PrivateFileError(`${file} was removed while it was made`);
  return { file, text: created };
}

async function readPrivateFile(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(ignoring('ENOENT'));
  if (text === undefined) return undefined;
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) {
    throw new PrivateFileError(
      `others can read ${file}, so it may be known: make a new one, or chmod 600 if it is not`,
    );
  }
  return text;
}

/** For `catch`: undefined for this one error code, and the error for every other. */
function ignoring(code: string): (error: unknown) => undefined {
  return (error) => {
    if ((error as { code?: unknown }).code !== code) throw error;
    return undefined;
  };
}
