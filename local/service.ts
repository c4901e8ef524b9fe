/**
 * What the gateway hands to a stand-in. Each stand-in (Auth, Storage, Realtime, functions) is one file that
 * makes a `Service`; the gateway has already turned `sb_publishable_…` and `sb_secret_…` keys into JWTs.
 */

/** The claims of a verified JWT. */
export interface Claims {
  role: string;
  sub?: string;
  exp?: number;
  [name: string]: unknown;
}

export interface ServiceCall {
  /** The original request (a websocket upgrade needs it); its headers are the client's own. */
  request: Request;
  /** The path behind the service's prefix, such as `/object/imports/a.csv`, and the parsed URL. */
  path: string;
  url: URL;
  /** The JWT that counts for this call: the bearer's, or the one the API key stands for; null if there is none. */
  token: string | null;
  /** The claims of `token` where it is valid, else null. */
  claims: Claims | null;
}

export interface Service {
  handle(call: ServiceCall): Promise<Response>;
  stop(): Promise<void>;
}
