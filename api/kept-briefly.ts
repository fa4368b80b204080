const freshMilliseconds = 3_000;

/**
 * What `read` answers for an organisation, asked again after three seconds: for what every request asks and hardly anybody
 * changes. Callers at the same time share one look-up; one that fails is not kept.
 */
export function keptBriefly<Value>(
  read: (organizationId: string) => Promise<Value>,
): (organizationId: string) => Promise<Value> {
  const known = new Map<string, { value: Promise<Value>; until: number }>();
  return (organizationId) => {
    const now = performance.now();
    const kept = known.get(organizationId);
    if (kept && kept.until > now) return kept.value;
    const value = read(organizationId);
    known.set(organizationId, { value, until: now + freshMilliseconds });
    value.catch(() => known.delete(organizationId));
    return value;
  };
}
