/**
 * The keys of one local project. In: the path of `keys.json`, made when it is missing. Out: the two API keys, the
 * public JWKS and a signer and verifier of ES256 tokens. It knows no users: claims come from its callers.
 */
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import type { Claims } from "./service.ts";

export interface Keys {
  /** `sb_publishable_…`, for clients. */
  publishableKey: string;
  /** `sb_secret_…`, for servers. */
  secretKey: string;
  /** The public half, as served at `/auth/v1/.well-known/jwks.json`. */
  jwks: { keys: JsonWebKey[] };
  /** The JWT that the gateway puts in the place of the publishable key. */
  anonToken: string;
  /** The JWT that the gateway puts in the place of the secret key. */
  serviceRoleToken: string;
  sign(claims: Record<string, unknown>, expiresInSeconds: number): Promise<string>;
  /** The claims of a token of this project that has not expired, else null. */
  verify(token: string): Promise<Claims | null>;
}

interface KeyFile {
  publishable_key: string;
  secret_key: string;
  signing_key: JsonWebKey & { kid: string };
}

const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const TEN_YEARS = 10 * 365 * 24 * 3600;
const REMEMBERED_TOKENS = 1000;

export async function loadKeys(path: string): Promise<Keys> {
  const file = await readKeyFile(path) ?? await makeKeyFile(path);
  const { d: _private, key_ops: _ops, ext: _ext, ...publicPart } = file.signing_key;
  const publicJwk = { ...publicPart, alg: "ES256", use: "sig", key_ops: ["verify"], ext: true };
  const signingKey = await crypto.subtle.importKey("jwk", file.signing_key, ECDSA, false, ["sign"]);
  const verifyingKey = await crypto.subtle.importKey(
    "jwk",
    { ...publicPart, key_ops: ["verify"] },
    ECDSA,
    false,
    ["verify"],
  );
  // A signature costs more than most requests do, and the same few tokens come again and again.
  const verified = new Map<string, Claims>();

  async function sign(claims: Record<string, unknown>, expiresInSeconds: number): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const header = encodeJson({ alg: "ES256", kid: file.signing_key.kid, typ: "JWT" });
    const body = encodeJson({ iat: now, exp: now + expiresInSeconds, ...claims });
    const signed = new TextEncoder().encode(`${header}.${body}`);
    const signature = await crypto.subtle.sign(ECDSA, signingKey, signed);
    return `${header}.${body}.${encodeBase64Url(signature)}`;
  }

  async function verify(token: string): Promise<Claims | null> {
    let claims = verified.get(token);
    if (!claims) {
      const checked = await checkSignature(token, { key: verifyingKey, kid: file.signing_key.kid });
      if (!checked) return null;
      claims = checked;
      if (verified.size >= REMEMBERED_TOKENS) verified.clear();
      verified.set(token, claims);
    }
    return claims.exp !== undefined && claims.exp * 1000 <= Date.now() ? null : claims;
  }

  return {
    publishableKey: file.publishable_key,
    secretKey: file.secret_key,
    jwks: { keys: [publicJwk] },
    anonToken: await sign({ iss: "longshore", role: "anon" }, TEN_YEARS),
    serviceRoleToken: await sign({ iss: "longshore", role: "service_role" }, TEN_YEARS),
    sign,
    verify,
  };
}

async function checkSignature(token: string, with_: { key: CryptoKey; kid: string }): Promise<Claims | null> {
  const [header, body, signature, ...rest] = token.split(".");
  if (!header || !body || !signature || rest.length > 0) return null;
  try {
    const { alg, kid } = decodeJson(header);
    if (alg !== "ES256" || kid !== with_.kid) return null;
    const signed = new TextEncoder().encode(`${header}.${body}`);
    if (!await crypto.subtle.verify(ECDSA, with_.key, decodeBase64Url(signature), signed)) return null;
    const claims = decodeJson(body);
    return typeof claims.role === "string" ? { ...claims, role: claims.role } : null;
  } catch {
    // Not base64url or not JSON: a stranger's token, which is no reason to fail.
    return null;
  }
}

async function readKeyFile(path: string): Promise<KeyFile | null> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new Error(`Cannot read the keys in "${path}": found a file that is not JSON, expected keys`, {
      cause: error,
    });
  }
}

async function makeKeyFile(path: string): Promise<KeyFile> {
  const pair = await crypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]);
  const jwk = await crypto.subtle.exportKey("jwk", pair.privateKey);
  const file: KeyFile = {
    publishable_key: `sb_publishable_${randomText(16)}_${randomText(6)}`,
    secret_key: `sb_secret_${randomText(16)}_${randomText(6)}`,
    signing_key: { ...jwk, kid: crypto.randomUUID() },
  };
  await Deno.writeTextFile(path, JSON.stringify(file, null, 2) + "\n", { mode: 0o600 });
  return file;
}

function randomText(bytes: number): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(bytes)));
}

function encodeJson(value: unknown): string {
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)));
}

function decodeJson(part: string): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(decodeBase64Url(part)));
}
