const thisMachine = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]):/;

/** Channel arguments for a client of Temporal at `address` (host:port; undefined: the SDK's own, on this machine). */
export function channelArgsFor(address: string | undefined): Record<string, number> {
  return {
    // Without these a lost server is found again only 10 to 35 s after its return.
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 1_000,
    // The proxy of an environment (http_proxy, https_proxy) does not lead to what listens on this machine alone.
    ...(address === undefined || thisMachine.test(address) ? { 'grpc.enable_http_proxy': 0 } : {}),
  };
}
