/** Who is there, by currency: one without decimals, and one with two. Merchants take their fee in their own. */
export const currencies = ['XOF', 'GHS'] as const;
export type Currency = (typeof currencies)[number];

interface Wallets {
  readonly customers: readonly string[];
  readonly merchants: readonly string[];
  readonly treasury: string;
}

export const walletsIn: Readonly<Record<Currency, Wallets>> = {
  XOF: { customers: ['ada', 'ben', 'cyd', 'dan'], merchants: ['shop', 'taxi'], treasury: 'till' },
  GHS: { customers: ['efe', 'fay'], merchants: ['kiosk'], treasury: 'safe' },
};

export const customers = currencies.flatMap((currency) => walletsIn[currency].customers);
export const merchants = currencies.flatMap((currency) => walletsIn[currency].merchants);

export function currencyOf(id: string): Currency {
  const { customers: people, merchants: shops, treasury } = walletsIn.GHS;
  return [...people, ...shops, treasury].includes(id) ? 'GHS' : 'XOF';
}
