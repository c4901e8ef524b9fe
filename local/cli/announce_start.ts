/** Tells a person why a command takes longer than it might: it starts a stack for itself. */
import { dim } from "@std/fmt/colors";

export function announceStart(dataDir: string): void {
  console.error(dim(
    `No stack is running on ${dataDir}: starting one for this command ("deno task start" keeps one up)`,
  ));
}
