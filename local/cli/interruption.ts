/**
 * Ctrl+C as an AbortSignal. Out: a signal that is aborted by the first SIGINT or SIGTERM, or when the terminal is closed,
 * to end in good order. Whoever insists a second later ends the process at once.
 */

/** A terminal sends Ctrl+C to the whole group and `deno task` hands it on: one press may come twice. */
const SAME_PRESS_MS = 1_000;

export function interruption(message: string): AbortSignal {
  const controller = new AbortController();
  let first: number | null = null;
  const interrupt = () => {
    const now = performance.now();
    first ??= now;
    controller.abort(new Error(message));
    if (now - first > SAME_PRESS_MS) Deno.exit(1);
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(name, interrupt);
  return controller.signal;
}
