function jaro(a: string, b: string): number {
  if (a === b) return 1;
  const reach = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1);
  const taken = Array.from(b, () => false);
  const matchesOfA: string[] = [];
  for (let i = 0; i < a.length; i++) {
    const end = Math.min(b.length, i + reach + 1);
    for (let j = Math.max(0, i - reach); j < end; j++) {
      if (taken[j] || a[i] !== b[j]) continue;
      taken[j] = true;
      matchesOfA.push(b.charAt(j));
      break;
    }
  }
  const common = matchesOfA.length;
  if (common === 0) return 0;
  const matchesOfB = b.split('').filter((_, j) => taken[j]);
  const halfTranspositions = matchesOfA.filter((letter, k) => letter !== matchesOfB[k]).length;
  return (common / a.length + common / b.length + (common - halfTranspositions / 2) / common) / 3;
}

/** Jaro-Winkler similarity, 0 (nothing in common) to 1 (equal); a common beginning of up to four letters weighs more. */
export function jaroWinkler(a: string, b: string): number {
  const plain = jaro(a, b);
  let prefix = 0;
  while (prefix < 4 && prefix < a.length && a[prefix] === b[prefix]) prefix++;
  return plain + prefix * 0.1 * (1 - plain);
}

/** Typing errors between two texts: letters left out, added, exchanged, or swapped with their neighbour. */
export function typingErrors(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchanged = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, exchanged);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** Similarity of two name keys, 0 to 1, whichever way round first and last name are written. */
export function nameSimilarity(a: string, b: string): number {
  const inOrder = (name: string) => name.split(' ').toSorted().join(' ');
  return Math.max(jaroWinkler(a, b), jaroWinkler(inOrder(a), inOrder(b)));
}
