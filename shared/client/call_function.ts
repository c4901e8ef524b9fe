/**
 * One call of an Edge Function. In: its name and a JSON body. Out: the JSON it answered; a refusal becomes a
 * `LongshoreClientError`. A POST carries an idempotency key, so that it can be made again when an answer gets lost: the
 * server then gives the job that the first one started.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import { fromStatus, isRecord, LongshoreClientError } from "./client_error.ts";
import { tryAgain } from "./try_again.ts";

export interface CallFunctionOptions {
  /** The body; without one it is a GET. */
  body?: Record<string, unknown>;
  /** The same key and body give the same job. @default one made for this call */
  idempotencyKey?: string | undefined;
  signal?: AbortSignal | undefined;
}

export async function callFunction(
  supabase: SupabaseClient,
  name: string,
  { body, idempotencyKey = crypto.randomUUID(), signal }: CallFunctionOptions = {},
): Promise<unknown> {
  return await tryAgain(async () => {
    const { data, error } = await supabase.functions.invoke<unknown>(name, {
      ...(body
        ? { method: "POST", body, headers: { "Idempotency-Key": idempotencyKey } }
        : { method: "GET" }),
      ...(signal ? { signal } : {}),
    });
    if (error === null) return data;
    signal?.throwIfAborted();
    throw await fromFunction(error, name);
  }, { signal });
}

/** supabase-js puts the answer into `context`, and the network's error where there was no answer. */
async function fromFunction(error: unknown, name: string): Promise<LongshoreClientError> {
  const answer = isRecord(error) || error instanceof Error ? Reflect.get(error, "context") : undefined;
  const task = `call the function "${name.split("?")[0]}"`;
  if (!(answer instanceof Response)) return fromStatus(0, { task, cause: error });
  const body: unknown = await answer.json().catch(() => null);
  // The platform's own refusals have codes too, in upper case: they say nothing that the status does not.
  if (!isRecord(body) || typeof body["message"] !== "string" || !/^[a-z_]+$/.test(String(body["code"]))) {
    return fromStatus(answer.status, { task, cause: error });
  }
  return new LongshoreClientError(String(body["code"]), body["message"], {
    details: isRecord(body["details"]) ? body["details"] : null,
    status: answer.status,
    cause: error,
  });
}
