/** What docs/sdk.md shows compiles against the client as it is. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('its code compiles', async () => {
  const text = await readFile(join(root, 'docs/sdk.md'), 'utf8');
  const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  expect(blocks.length).toBeGreaterThan(4);
  const folder = await mkdtemp(join(tmpdir(), 'kora-sdk-docs-'));
  try {
    const file = join(folder, 'blocks.mts');
    await writeFile(file, blocks.join('\n').replaceAll("'../sdk/", `'${root}sdk/`));
    const config = ts.getParsedCommandLineOfConfigFile(
      join(root, 'test/sdk/tsconfig.json'),
      {},
      {
        ...ts.sys,
        onUnRecoverableConfigFileDiagnostic: (diagnostic) => expect(diagnostic).toBeUndefined(),
      },
    );
    const program = ts.createProgram([file], config?.options ?? {});
    const problems = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    expect(problems).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
