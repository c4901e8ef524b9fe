/**
 * One request to Storage with the secret key of the environment, and what an answer says that is no success. Nothing is
 * retried and no status is judged here.
 */
import { LongshoreError } from "../errors.ts";

export interface StorageRequestOptions {
  /** @default "GET" */
  method?: string;
  headers?: Record<string, string>;
  body?: BodyInit;
  signal?: AbortSignal;
}

export async function storageRequest(path: string, options: StorageRequestOptions = {}): Promise<Response> {
  const key = secretKey();
  const { headers, ...rest } = options;
  return await fetch(`${Deno.env.get("SUPABASE_URL")}/storage/v1${path}`, {
    ...rest,
    headers: { apikey: key, authorization: `Bearer ${key}`, ...headers },
  });
}

export interface StorageRefusal {
  /** The status that Storage means: it answers most refusals with 400 and puts the status into the body. */
  status: number;
  /** Storage's own word for it, such as "NoSuchKey"; the status where there is none. */
  code: string;
}

/** Reads what a refusal means, and so ends the answer. */
export async function readRefusal(response: Response): Promise<StorageRefusal> {
  const body: unknown = await response.json().catch(() => null);
  const facts = typeof body === "object" && body !== null ? body as Record<string, unknown> : {};
  const meant = Number(facts["statusCode"]);
  const status = meant >= 400 && meant < 600 ? meant : response.status;
  const word = [facts["code"], facts["error"]].find((each) => typeof each === "string" && /^\w+$/.test(each));
  return { status, code: typeof word === "string" ? word : String(status) };
}

/** A failure of Storage that says nothing about the job; the log has its code. */
export function storageFailure(what: string, { status, code }: StorageRefusal): Error {
  return Object.assign(new Error(`Cannot ${what} Storage: found status ${status}, expected success`), {
    code,
  });
}

/** The same for a file that was to be written; one that is larger than the bucket or the project allows stays so. */
export function writeFailure(file: string, refusal: StorageRefusal, advice: string): Error {
  if (refusal.status !== 413) return storageFailure(`write ${file} to`, refusal);
  return new LongshoreError(
    "file_too_large",
    `Cannot write ${file}: found more than Storage takes as one file; ${advice}`,
  );
}

function secretKey(): string {
  const keys: Record<string, string> = JSON.parse(Deno.env.get("SUPABASE_SECRET_KEYS") ?? "{}");
  const key = keys.default ?? Deno.env.get("SUPABASE_SERVICE_ROLE_KEY");
  if (!key) throw new Error('Cannot reach Storage: found no "default" in "SUPABASE_SECRET_KEYS"');
  return key;
}
