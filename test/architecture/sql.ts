/** One query within a statement: a select, update, insert or delete with the tables that it names itself. */
export interface Query {
  text: string;
  tables: string[];
}

/** The texts between quotes and backticks of a source that name a table; what is put into a template becomes `${}`. */
export function sqlTexts(source: string): string[] {
  const texts: string[] = [];
  let at = 0;

  function readTemplate(): string {
    let text = '';
    for (at++; at < source.length && source[at] !== '`'; at++) {
      if (source[at] === '\\') text += source[at++];
      if (source.startsWith('${', at)) {
        at += 2;
        readCode('}');
        text += '${}';
      } else text += source[at];
    }
    return text;
  }

  function readString(quote: string): string {
    const start = ++at;
    while (at < source.length && source[at] !== quote && source[at] !== '\n') at += source[at] === '\\' ? 2 : 1;
    return source.slice(start, at);
  }

  function readCode(end: string | null): void {
    for (let depth = 0; at < source.length; at++) {
      const char = source[at] ?? '';
      if (source.startsWith('//', at)) at = (source.indexOf('\n', at) + 1 || source.length + 1) - 1;
      else if (source.startsWith('/*', at)) at = source.indexOf('*/', at) + 1;
      else if (char === '`') texts.push(readTemplate());
      else if (char === "'" || char === '"') texts.push(readString(char));
      else if (char === end && depth === 0) return;
      else if (char === '{') depth++;
      else if (char === '}') depth--;
    }
  }

  readCode(null);
  return texts.filter((text) => /\bcrm_core\.\w+/.test(text));
}

const table = /\b(?:from|join|update|into|using)\s+(crm_core\.\w+)(?!\s*\(|\w)/gi;

/** The queries of a statement that name tables: each select within parentheses is one of its own. */
export function queriesIn(sql: string): Query[] {
  const queries: Query[] = [];
  const read = (from: number): { own: string; end: number } => {
    let own = '';
    let at = from;
    while (at < sql.length && sql[at] !== ')') {
      if (sql[at] !== '(') own += sql[at++];
      else {
        const inner = read(at + 1);
        at = inner.end + 1;
        if (/^\s*(select|with|update|insert|delete)\b/i.test(inner.own)) note(inner.own);
        else own += `(${inner.own})`;
      }
    }
    return { own, end: at };
  };
  const note = (text: string) => {
    const tables = [...text.matchAll(table)].map(([, name = '']) => name);
    if (tables.length > 0) queries.push({ text: text.replaceAll(/\s+/g, ' ').trim(), tables });
  };
  note(read(0).own);
  return queries;
}

/** Whether a query names the organisation of each of its tables. */
export function namesOrganization({ text, tables }: Query): boolean {
  return (text.match(/\borganization_id\b/g) ?? []).length >= tables.length;
}
