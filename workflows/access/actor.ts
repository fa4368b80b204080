/** Who does something, as it travels with a command into a process: identifiers only, never names or addresses. */
export type Actor =
  | {
      readonly kind: 'user';
      readonly organizationId: string;
      readonly userId: string;
      readonly roles: readonly string[];
    }
  | {
      readonly kind: 'service';
      readonly organizationId: string;
      readonly clientId: string;
      readonly scopes: readonly string[];
    }
  | { readonly kind: 'process'; readonly organizationId: string; readonly process: string; readonly recordId: string }
  /** Somebody with only the Temporal CLI or UI. */
  | { readonly kind: 'temporal'; readonly organizationId: string };
