import { Interrupt } from './cli/interrupt.ts';
import { runKora } from './cli/program.ts';

// The one place that reads the environment, and the only one that ends the process.
const interrupt = new Interrupt(process, (exitCode) => process.exit(exitCode));
// The launcher's channel is there to tell of its death, not to keep us alive.
process.channel?.unref();
// Whoever read us has gone (`kora timeline … | head`): there is nobody left to write to.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const shell = { env: process.env, stdout: process.stdout, stderr: process.stderr, interrupt, exitCode: 0 };
process.exit(await runKora(process.argv.slice(2), shell));
