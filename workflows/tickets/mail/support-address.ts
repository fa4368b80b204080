/** What the place of an organisation's short name looks like in a template of support addresses. */
export const organizationPlace = '{organization}';

/** The support address of an organisation by its short name: `support@{organization}.example` → `support@acme.example`. */
export function supportAddressOf(template: string, slug: string): string {
  return template.replace(organizationPlace, slug);
}

/** The short name of the organisation whose support address this is, or null; capitals do not count. */
export function slugOf(template: string, address: string): string | null {
  const [before = '', after = ''] = template.toLowerCase().split(organizationPlace);
  const given = address.toLowerCase();
  const slug = given.slice(before.length, given.length - after.length);
  const fits = given.startsWith(before) && given.endsWith(after) && given.length > before.length + after.length;
  return fits && /^[a-z0-9][a-z0-9-]{0,62}$/.test(slug) ? slug : null;
}
