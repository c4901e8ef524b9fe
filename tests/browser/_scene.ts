/**
 * A test in a browser. In: its name and what happens. It is skipped where there is no Chromium. The tests of a file
 * share the browser, but nobody in it shares anything with others.
 */
import postgres from "postgres";
import { type TestStack, testStack } from "../helpers/stack.ts";
import { startAppServer } from "./_app_server.ts";
import { type Browser, findChromium, openChromium } from "./_chromium.ts";
import { visit, type Visitor } from "./_visitor.ts";

export interface Scene {
  stack: TestStack;
  /** The database as superuser. */
  admin: postgres.Sql;
  /** The app's address; the app talks to the stack. */
  appUrl: string;
  /** Opens an app in a browser of somebody new. @default the one at `appUrl` */
  open(url?: string): Promise<Visitor>;
}

const chromium = findChromium();
let opened: Promise<Browser> | undefined;

Deno.test.afterAll(async () => await (await opened)?.close());

export function scene(name: string, run: (scene: Scene) => Promise<void>): void {
  // The browser stays open for the file's other tests.
  Deno.test({ name, ignore: chromium === null, sanitizeOps: false, sanitizeResources: false }, async () => {
    if (chromium === null) return;
    const stack = await testStack();
    const admin = postgres(stack.adminUrl, { max: 2, onnotice: () => {}, prepare: false });
    await using app = await startAppServer(stack);
    const browser = await (opened ??= openChromium(chromium));
    try {
      await run({ stack, admin, appUrl: app.url, open: (url = app.url) => visit(browser, url) });
    } finally {
      await admin.end();
    }
  });
}
