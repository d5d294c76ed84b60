/** Numbers that look random and are the same in every run: xoshiro128**, seeded by splitmix32. */
export class Seeded {
  readonly #state = new Uint32Array(4);

  constructor(seed: number) {
    let mixed = seed;
    for (let index = 0; index < 4; index++) {
      mixed = (mixed + 0x9e3779b9) | 0;
      let word = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      this.#state[index] = word ^ (word >>> 15);
    }
  }

  /** 0 … 2³² − 1. */
  word(): number {
    const state = this.#state;
    const [a, b, c, d] = state as unknown as [number, number, number, number];
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    state[2] = c ^ a;
    state[3] = d ^ b;
    state[1] = b ^ c ^ a;
    state[0] = a ^ d ^ b;
    state[2] = c ^ a ^ (b << 9);
    const turned = d ^ b;
    state[3] = (turned << 11) | (turned >>> 21);
    return result;
  }

  /** 0 … `end` − 1. */
  below(end: number): number {
    return Math.floor((this.word() / 2 ** 32) * end);
  }

  /** Time to the next of events that come by chance, `perSecond` on average. */
  gapMs(perSecond: number): number {
    return (-Math.log(1 - this.word() / 2 ** 32) * 1_000) / perSecond;
  }

  /** 36 characters in the form of a uuid: scattered over an index as keys of real callers are. */
  uuid(): string {
    const [a, b, c, d] = [this.word(), this.word(), this.word(), this.word()];
    return `${quad(a >>> 16)}${quad(a)}-${quad(b >>> 16)}-4${quad(b).slice(1)}-8${quad(c >>> 16).slice(1)}-${quad(c)}${quad(d >>> 16)}${quad(d)}`;
  }
}

const quads = Array.from({ length: 65_536 }, (_, word) => word.toString(16).padStart(4, '0'));
function quad(word: number): string {
  return quads[word & 0xffff] ?? '';
}
