/**
 * A token as Realtime checks it. In: a JWT. Out: its claims, or the code and words it is refused with.
 */
import { decodeBase64Url } from "@std/encoding/base64url";
import type { Keys } from "../keys.ts";
import type { Claims } from "../service.ts";
import type { Refusal } from "./context.ts";
import { isObject } from "./frames.ts";

export interface ConfirmedClaims extends Claims {
  exp: number;
}

export type Verdict = { claims: ConfirmedClaims } | Refusal;

export async function verifyToken(token: string, keys: Pick<Keys, "verify">): Promise<Verdict> {
  const claims = await keys.verify(token);
  if (claims) {
    const { exp } = claims;
    if (typeof exp === "number") return { claims: { ...claims, exp } };
    return { code: "InvalidJWTToken", message: "Fields `role` and `exp` are required in JWT" };
  }
  const read = readClaims(token);
  if (!read) return { code: "MalformedJWT", message: "The token provided is not a valid JWT" };
  // The signature was not told apart from the expiry: both end in a refusal, only the words depend on it.
  const now = Math.floor(Date.now() / 1000);
  if (typeof read.exp === "number" && read.exp <= now) {
    return { code: "InvalidJWTToken", message: `Token has expired ${now - read.exp} seconds ago` };
  }
  return { code: "JwtSignatureError", message: "Failed to validate JWT signature" };
}

/** What the token says, whoever signed it. */
function readClaims(token: string): Record<string, unknown> | null {
  try {
    const claims: unknown = JSON.parse(new TextDecoder().decode(decodeBase64Url(token.split(".")[1] ?? "")));
    return isObject(claims) ? claims : null;
  } catch {
    return null;
  }
}
