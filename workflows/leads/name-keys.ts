const undecomposed: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};

const legalForms = new Set(
  (
    'ab ag as asa aps bhd bv co company corp corporation doo eg ev eu fze fzco gbr gmbh inc incorporated kft kg kgaa kk ' +
    'limited llc llp lp ltd ltda mbh nv ohg oo ooo oy oyj plc pte pty pvt sa sarl sas sdn se sl snc sp spa srl sro ug wll z zrt'
  ).split(' '),
);

// Folding can lengthen a text (ß becomes ss); the columns for keys take 200 characters.
const keyLength = 200;

/** Lower case without accents, punctuation and doubled blanks: what two spellings of one name have in common. */
export function foldText(text: string): string {
  const folded = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[ßæœøłđðþı]/g, (letter) => undecomposed[letter] ?? letter)
    .replace(/['’ʼ`´.]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  const key = Array.from(folded === '' ? text.toLowerCase() : folded).slice(0, keyLength);
  return key.join('').trim();
}

/** Comparison key of a person's name: "Renée O'Brien-Smith" → "renee obrien smith". */
export function personNameKey(fullName: string): string {
  return foldText(fullName.replace(/^([^,]+),([^,]+)$/u, '$2 $1'));
}

/** Comparison key of a company's name, without its legal form: "Müller & Söhne GmbH & Co. KG" → "muller sohne". */
export function companyNameKey(company: string): string {
  const words = foldText(company).split(' ');
  while (words.length > 1 && legalForms.has(words.at(-1) ?? '')) words.pop();
  return words.join(' ');
}
