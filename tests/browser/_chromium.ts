/**
 * The Chromium of this machine. Out: where it is, or null with one line that says how to get it; and a browser, driven
 * by Playwright, that talks to nobody but the pages' own addresses. It fetches no browser.
 */

/** The part of Playwright that the tests use; its own types would be fetched where there is no Chromium. */
export interface Browser {
  /** Somebody's browser: nothing is shared with others, neither sessions nor connections. */
  newContext(): Promise<BrowserContext>;
  close(): Promise<void>;
}

export interface BrowserContext {
  newPage(): Promise<Page>;
  setOffline(offline: boolean): Promise<void>;
  close(): Promise<void>;
}

export interface Page {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  locator(selector: string): Locator;
  getByRole(role: string, options: { name: string }): Locator;
  evaluate<Argument, Result>(
    run: (argument: Argument) => Result,
    argument: Argument,
  ): Promise<Awaited<Result>>;
  setDefaultTimeout(ms: number): void;
  on(event: "pageerror", listener: (error: Error) => void): void;
  on(event: "request", listener: (request: { method(): string; url(): string }) => void): void;
  on(event: "websocket", listener: (socket: Socket) => void): void;
}

export interface Locator {
  fill(text: string): Promise<void>;
  click(): Promise<void>;
  setInputFiles(file: { name: string; mimeType: string; buffer: Uint8Array }): Promise<void>;
  allTextContents(): Promise<string[]>;
  filter(options: { hasText: RegExp | string }): Locator;
  waitFor(): Promise<void>;
}

export interface Socket {
  on(event: "framereceived", listener: (frame: { payload: string | Uint8Array }) => void): void;
}

const PLAYWRIGHT = "npm:playwright-core@1.65.1";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** What a browser of a test has no need of: machines without a screen, and the services of its maker. */
const ARGUMENTS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The path of the program; `CHROMIUM` goes before the usual places. */
export function findChromium(): string | null {
  const given = Deno.env.get("CHROMIUM");
  if (given !== undefined) {
    if (isFile(given)) return given;
    throw new Error(`Cannot use the browser in CHROMIUM: found no file "${given}", expected a Chromium`);
  }
  const found = PLACES.find(isFile);
  if (found) return found;
  console.log(
    "Browser tests are skipped: no Chromium here; `apt-get install chromium`, or its path in CHROMIUM, adds them",
  );
  return null;
}

export async function openChromium(executablePath: string): Promise<Browser> {
  const { chromium }: { chromium: { launch(options: Record<string, unknown>): Promise<Browser> } } =
    await import(PLAYWRIGHT);
  // A profile of its own, removed at its end. There is no sandbox for root, and the pages are the tests' own.
  return await chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args: ARGUMENTS });
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
