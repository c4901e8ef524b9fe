/** One request to Storage with the secret key of the environment. Nothing is retried and no status is judged here. */
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

function secretKey(): string {
  const keys: Record<string, string> = JSON.parse(Deno.env.get("SUPABASE_SECRET_KEYS") ?? "{}");
  const key = keys.default ?? Deno.env.get("SUPABASE_SERVICE_ROLE_KEY");
  if (!key) throw new Error('Cannot reach Storage: found no "default" in "SUPABASE_SECRET_KEYS"');
  return key;
}
