/** From now on modules in TypeScript are stripped once, and kept in a folder. */
export function keepStripped(folder: string): void;
