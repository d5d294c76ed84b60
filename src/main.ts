import { exitCodeOfSignal } from './cli/exit-codes.ts';
import { Interrupt } from './cli/interrupt.ts';
import { runKora } from './cli/program.ts';
import { watchStarter } from './cli/watch-starter.ts';

// The one place that reads the environment, and the only one that ends the process.
const interrupt = new Interrupt(process, (exitCode) => process.exit(exitCode));

// The launcher passes every signal on but the one that cannot be caught: its channel breaks, and we go as it went.
process.on('disconnect', () => process.exit(exitCodeOfSignal('SIGKILL')));
process.channel?.unref();
if (process.env['npm_command'] !== undefined) watchStarter(() => interrupt.ask('SIGTERM'));

// Whoever read us has gone (`kora timeline … | head`): there is nobody left to write to.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const shell = { env: process.env, stdout: process.stdout, stderr: process.stderr, interrupt, exitCode: 0 };
process.exit(await runKora(process.argv.slice(2), shell));
