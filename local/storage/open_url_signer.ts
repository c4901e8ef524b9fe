/**
 * Tokens for signed URLs. In: claims and a lifetime. Out: a JWT that only this server takes. The key is the server's
 * own, as on hosted Supabase, so that a link is never a login and a login never a link.
 */
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { join } from "@std/path";
import { refused } from "./storage_error.ts";

/** What a signed URL is good for: reading one object, or writing one. */
export interface UrlClaims {
  /** Bucket and name, such as `imports/a.csv`. */
  url: string;
  scope: "download" | "upload";
  /** Whose the uploaded object will be. */
  owner?: string;
  upsert?: boolean;
}

export interface UrlSigner {
  sign(claims: UrlClaims, expiresInSeconds: number): Promise<string>;
  /** The claims and the expiry, in seconds since 1970; throws where the token does not stand for exactly `wanted`. */
  verify(
    token: string,
    wanted: { url: string; scope: UrlClaims["scope"] },
  ): Promise<UrlClaims & { exp: number }>;
}

const HMAC = { name: "HMAC", hash: "SHA-256" };

export async function openUrlSigner(dir: string): Promise<UrlSigner> {
  const key = await crypto.subtle.importKey(
    "raw",
    await loadSecret(join(dir, "url_signing.key")),
    HMAC,
    false,
    [
      "sign",
      "verify",
    ],
  );

  async function sign(claims: UrlClaims, expiresInSeconds: number): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    const header = encode({ alg: "HS256", typ: "JWT" });
    const signed = `${header}.${encode({ ...claims, iat, exp: iat + expiresInSeconds })}`;
    const signature = await crypto.subtle.sign(HMAC, key, new TextEncoder().encode(signed));
    return `${signed}.${encodeBase64Url(signature)}`;
  }

  async function verify(token: string, wanted: { url: string; scope: UrlClaims["scope"] }) {
    const [header = "", body = "", signature = "", ...rest] = token.split(".");
    let claims: UrlClaims & { exp: number };
    try {
      const signed = new TextEncoder().encode(`${header}.${body}`);
      const genuine = rest.length === 0 &&
        await crypto.subtle.verify(HMAC, key, decodeBase64Url(signature), signed);
      if (!genuine) throw refused.invalidToken("signature verification failed");
      claims = JSON.parse(new TextDecoder().decode(decodeBase64Url(body)));
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError) {
        throw refused.invalidToken("Invalid Compact JWS");
      }
      throw error;
    }
    if (claims.exp * 1000 <= Date.now()) throw refused.invalidToken('"exp" claim timestamp check failed');
    if (claims.scope !== wanted.scope) {
      throw refused.invalidSignature(`Token is not scoped for ${wanted.scope}`);
    }
    if (claims.url !== wanted.url) throw refused.invalidSignature();
    return claims;
  }

  return { sign, verify };
}

async function loadSecret(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const secret = crypto.getRandomValues(new Uint8Array(32));
    await Deno.writeFile(path, secret, { mode: 0o600 });
    return secret;
  }
}

function encode(value: unknown): string {
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)));
}
