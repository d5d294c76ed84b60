import { Interrupt } from '../../src/cli/interrupt.ts';
import { runKora } from '../../src/cli/program.ts';

/**
 * A command line to its end in this process, as `main.ts` runs it. For what is about words and not about processes: a start
 * of Node for each of a hundred refusals proves nothing more.
 */
export async function koraHere(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const shell = {
    env,
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    interrupt: new Interrupt({ on: () => undefined }, () => undefined),
    exitCode: 0,
  };
  const code = await runKora(args, shell);
  return { code, stdout: out.join(''), stderr: err.join('') };
}
