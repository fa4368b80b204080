import { nameSimilarity, jaroWinkler, typingErrors } from '../text/similarity.ts';

/** Fields beyond a capture that tell people apart when a source knows them, such as an import. */
const personalFields = ['dateOfBirth', 'streetNumber', 'street', 'city', 'region', 'postcode'] as const;
type PersonalField = (typeof personalFields)[number];

/**
 * What is compared of two people; a normalised intake is one, so is a stored lead with its person. Names are the
 * comparison keys, mail is lower case, phone E.164; personal fields are folded texts.
 */
export interface Comparable {
  normalizedName: string | null;
  email: string | null;
  phone: string | null;
  normalizedCompany: string | null;
  personal?: Partial<Record<PersonalField, string | null>>;
}

/** How alike one field is in both, 0 to 1; `matched` when that is enough to speak of the same. */
export interface FieldComparison {
  field: 'name' | 'email' | 'phone' | 'company' | PersonalField;
  similarity: number;
  matched: boolean;
}

/** `exact` merges by itself, `likely` is flagged for a person. `confidence` is 0 to 1. */
export interface Comparison {
  verdict: 'exact' | 'likely' | 'none';
  confidence: number;
  /** Why, in words. */
  reason: string;
  /** Only fields that both sides know. */
  fields: FieldComparison[];
}

const sameName = 0.9;
const sameCompany = 0.92;
const sameWords = 0.88;
const agreementsNeeded = 4;

type Field = FieldComparison['field'];

const exactly = (a: string, b: string) => (a === b ? 1 : 0);

// One typing error in a number or address leaves it recognisable, two leave it another.
const almost = (a: string, b: string) => (a === b ? 1 : typingErrors(a, b) === 1 ? 0.9 : 0);

const measures: Record<Field, { measure: (a: string, b: string) => number; enough: number }> = {
  name: { measure: nameSimilarity, enough: sameName },
  email: { measure: almost, enough: 1 },
  phone: { measure: almost, enough: 1 },
  company: { measure: jaroWinkler, enough: sameCompany },
  dateOfBirth: { measure: almost, enough: 0.9 },
  streetNumber: { measure: exactly, enough: 1 },
  street: { measure: jaroWinkler, enough: sameWords },
  city: { measure: jaroWinkler, enough: sameWords },
  region: { measure: exactly, enough: 1 },
  postcode: { measure: almost, enough: 0.9 },
};

function compareField(field: Field, a: string | null | undefined, b: string | null | undefined): FieldComparison[] {
  if (!a || !b) return [];
  const { measure, enough } = measures[field];
  const similarity = Math.round(measure(a, b) * 1000) / 1000;
  return [{ field, similarity, matched: similarity >= enough }];
}

/**
 * Compares an intake with a stored lead or person (DOMAIN process 1): exact is the same mail, or the same phone and
 * name; likely is the same phone alone, a similar name with a similar company or with a mistyped mail or phone, or
 * agreement in at least four fields and in more than differ.
 */
export function compareWithCandidate(intake: Comparable, candidate: Comparable): Comparison {
  const fields = [
    ...compareField('name', intake.normalizedName, candidate.normalizedName),
    ...compareField('email', intake.email, candidate.email),
    ...compareField('phone', intake.phone, candidate.phone),
    ...compareField('company', intake.normalizedCompany, candidate.normalizedCompany),
    ...personalFields.flatMap((field) => compareField(field, intake.personal?.[field], candidate.personal?.[field])),
  ];
  const similarity = (field: Field) => fields.find((compared) => compared.field === field)?.similarity ?? 0;
  const matched = (field: Field) => fields.some((compared) => compared.field === field && compared.matched);
  const agreeing = fields.filter((compared) => compared.matched).length;

  const as = (verdict: Comparison['verdict'], confidence: number, reason: string): Comparison => ({
    verdict,
    confidence: Math.round(confidence * 100) / 100,
    reason,
    fields,
  });

  if (matched('email')) return as('exact', similarity('name') === 1 ? 1 : 0.97, 'same e-mail');
  if (matched('phone') && similarity('name') === 1) return as('exact', 0.95, 'same phone and same name');
  if (matched('phone') && matched('name')) return as('likely', 0.85, 'same phone and similar name');
  if (matched('name') && matched('company')) {
    return as('likely', 0.9 * similarity('name') * similarity('company'), 'similar name and company');
  }
  if (matched('name') && (similarity('email') > 0 || similarity('phone') > 0)) {
    const mistyped = similarity('email') > 0 ? 'an e-mail' : 'a phone';
    return as('likely', 0.8 * similarity('name'), `similar name, and ${mistyped} that differs by one typing error`);
  }
  if (agreeing >= agreementsNeeded && agreeing > fields.length - agreeing) {
    return as('likely', agreeing / fields.length, `${agreeing} of ${fields.length} known fields agree`);
  }
  if (matched('phone')) return as('likely', 0.5 + 0.2 * similarity('name'), 'same phone, another name');
  return as(
    'none',
    0,
    agreeing === 0 ? 'nothing agrees' : `too little agrees: ${agreeing} of ${fields.length} known fields`,
  );
}
