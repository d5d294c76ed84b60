/**
 * How the product's Node is started. A payment lives in memory until it is durable; in a young generation of the default
 * size (16 MiB) all that are on their way would be copied again and again, for a sixth of the processor's time. V8 takes
 * these on the command line only. package.json repeats them for the scripts that are on the right Node already.
 */
export const nodeFlags = ['--max-semi-space-size=64', '--min-semi-space-size=64'];
