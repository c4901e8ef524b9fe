/**
 * The app of the tests on an origin of its own. In: the project that it talks to. Out: its address, until it is stopped.
 * Its script is bundled from the sources as they are now.
 */
import { dirname, fromFileUrl, join } from "@std/path";
import type { AppConfig } from "./app/app.ts";

export interface AppServer extends AsyncDisposable {
  /** Such as `http://127.0.0.1:40123/`. */
  url: string;
}

const APP_DIR = join(dirname(fromFileUrl(import.meta.url)), "app");

let script: Promise<string> | undefined;

export async function startAppServer({ url, publishableKey }: AppConfig): Promise<AppServer> {
  const files = new Map([
    ["/", { type: "text/html", body: await Deno.readTextFile(join(APP_DIR, "index.html")) }],
    ["/app.js", { type: "text/javascript", body: await (script ??= bundle(join(APP_DIR, "app.ts"))) }],
    ["/config.json", { type: "application/json", body: JSON.stringify({ url, publishableKey }) }],
  ]);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const file = files.get(new URL(request.url).pathname);
    if (!file) return new Response("Not found", { status: 404 });
    return new Response(file.body, { headers: { "content-type": `${file.type}; charset=utf-8` } });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function bundle(entry: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--no-check", "--platform", "browser", entry],
    cwd: APP_DIR,
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot bundle "${entry}": ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
