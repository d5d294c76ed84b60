export const money = 0n;
