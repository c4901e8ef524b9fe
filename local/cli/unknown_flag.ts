/** A flag that there is none of. In: what was typed, and the names that there are. Out: an error that names the nearest. */
import { nearestName } from "../../shared/text/nearest_name.ts";
import { UsageError } from "./usage_error.ts";

export function unknownFlag(typed: string, names: readonly string[]): UsageError {
  const bare = typed.replace(/^-+/, "").split("=")[0] ?? "";
  const near = nearestName(bare, names);
  return new UsageError(
    `Cannot use "${typed}": found no such option${near ? `, did you mean --${near}` : ""}`,
  );
}
