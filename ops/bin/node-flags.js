/**
 * How the product's Node is started. A payment lives in memory until it is durable, and in a young generation that is too
 * small it would be copied more than twice; one that is large is copied seldom and long, and payments wait for it: with
 * 64 MiB p95 at the http door is twice what it is with 32. V8 takes these on the command line only. package.json repeats
 * them for the scripts that are on the right Node already.
 */
export const nodeFlags = ['--max-semi-space-size=32', '--min-semi-space-size=32'];
