/**
 * Keeps an isolate alive when something fails that nobody waits for any more, such as a query on a session that was cut
 * after its slice had ended: the platform would end the isolate, and with it every other job that it works on. What
 * fails is logged; a job whose slice was hit is found by its lease.
 */
import { logEvent, safeErrorFields } from "./log.ts";

export function outliveStrayErrors(name: string): void {
  const outlive = (event: Event, error: unknown) => {
    event.preventDefault();
    logEvent("error", "stray_error", { function: name, ...safeErrorFields(error) });
  };
  globalThis.addEventListener("unhandledrejection", (event) => outlive(event, event.reason));
  globalThis.addEventListener("error", (event) => outlive(event, event.error));
}
