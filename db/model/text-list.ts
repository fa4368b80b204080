import { ArrayType } from '@mikro-orm/postgresql';

/** A `text[]` whose entries are always quoted: the ORM's own array sends the text `null` as no text at all. */
export class TextList extends ArrayType {
  override convertToDatabaseValue(value: string[] | string | null): string {
    return Array.isArray(value)
      ? `{${value.map((entry) => `"${entry.replace(/["\\]/g, '\\$&')}"`).join(',')}}`
      : (value as string);
  }
}
