/** The simulated provider of `npm run provider`, forked: it ends when whoever measures is gone, without a word. */
process.once('disconnect', () => process.exit(1));
await import('../../ops/provider/main.ts');
