/**
 * Work that goes on after the answer. In: a promise. It keeps the isolate from being dropped while it has time left, and
 * lets no rejection end the isolate. The platform's limits stay as they are.
 */
import { logEvent, type LogFields, safeErrorFields } from "./log.ts";

interface EdgeRuntime {
  waitUntil<T>(promise: Promise<T>): Promise<T>;
}

export function inBackground(work: Promise<unknown>, log: LogFields = {}): void {
  const guarded = work.catch((error) =>
    logEvent("error", "background_failed", { ...log, ...safeErrorFields(error) })
  );
  const runtime = (globalThis as { EdgeRuntime?: EdgeRuntime }).EdgeRuntime;
  runtime?.waitUntil(guarded);
}
