/**
 * A call that is made again when the network or the server fails. In: the call, which must be safe to repeat. Out: its
 * value, or the last error; any other error at once.
 */
import { LongshoreClientError } from "./client_error.ts";

export interface TryAgainOptions {
  /** Calls in all. @default 4 */
  attempts?: number;
  /** The wait before the second call, in milliseconds; it doubles from call to call. @default 500 */
  waitMs?: number;
  /** Ends the waiting with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** `call` gets the number of the attempt, from 1. */
export async function tryAgain<T>(
  call: (attempt: number) => Promise<T>,
  { attempts = 4, waitMs = 500, signal }: TryAgainOptions = {},
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    signal?.throwIfAborted();
    try {
      return await call(attempt);
    } catch (error) {
      const passing = error instanceof LongshoreClientError && error.passing;
      if (!passing || attempt >= attempts) throw error;
    }
    // A little apart, so that many clients do not come back at the same moment.
    await wait(waitMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2), signal);
  }
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
