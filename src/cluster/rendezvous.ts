/** A candidate, with the hash of its name. */
export interface Candidate {
  readonly id: string;
  readonly hash: number;
}

/**
 * Who is preferred for a key: rendezvous hashing (Thaler and Ravishankar, 1998). Each candidate draws a weight for the key,
 * the highest wins; so when one leaves only its keys move, and when one joins it takes its share from all.
 *
 * Everybody who has the same list comes to the same answer, whatever its order.
 */
export function preferred<Member extends Candidate>(members: readonly Member[], key: string): Member | undefined {
  const keyHash = hashOf(key);
  let best: Member | undefined;
  let bestWeight = -1;
  for (const member of members) {
    const weight = mixed(keyHash ^ member.hash);
    if (best === undefined || weight > bestWeight || (weight === bestWeight && member.id > best.id)) {
      best = member;
      bestWeight = weight;
    }
  }
  return best;
}

/** FNV-1a, mixed: it is asked for every command, and nobody gains by a collision. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mixed(hash);
}

/** The finalizer of MurmurHash3: each bit of the input moves each bit of the output. */
function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
