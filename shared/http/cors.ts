/**
 * What browsers of any origin are told they may send and read. Tokens travel in headers, never in cookies, so an origin
 * proves nothing and is not asked for.
 */
export const CORS_HEADERS: Readonly<Record<string, string>> = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization, x-client-info, apikey, content-type, idempotency-key, " +
    "x-request-id, x-retry-count, traceparent, tracestate, baggage",
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-expose-headers": "x-request-id, content-disposition",
  "access-control-max-age": "86400",
};
