/** Says that code has changed. In: the project's folder. Out: one call for a burst of changes, until it is closed. */
import { join } from "@std/path";

export function watchCode(dir: string, onChange: () => void): Deno.FsWatcher {
  const dirs = ["functions", "shared", "supabase"].map((name) => join(dir, name));
  const watcher = Deno.watchFs(dirs.filter((path) => isDirectory(path)));
  let timer: ReturnType<typeof setTimeout> | undefined;
  (async () => {
    for await (const event of watcher) {
      if (event.kind === "access" || !event.paths.some((path) => /\.(ts|js|json|toml)$/.test(path))) continue;
      clearTimeout(timer);
      timer = setTimeout(onChange, 100);
    }
    clearTimeout(timer);
  })();
  return watcher;
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
