/** A request's body as it arrives. Where the client leaves before the end, it ends in a refusal that nobody reads. */
import { refused } from "./storage_error.ts";

export interface RequestBytesOptions {
  /** Ends the reading early, for somebody who takes over. @default never */
  signal?: AbortSignal;
}

export async function* requestBytes(
  request: Request,
  options: RequestBytesOptions = {},
): AsyncGenerator<Uint8Array> {
  if (!request.body) return;
  const { signal } = options;
  const reader = request.body.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", cancel);
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } catch (cause) {
    throw refused.aborted(cause);
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
  if (signal?.aborted) throw refused.aborted();
}
