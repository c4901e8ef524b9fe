/**
 * Somebody at the app in a browser of their own. In: the browser and the app's address. Out: the page, what its sockets
 * brought and which requests it made, until the visitor leaves. An error that the page did not catch fails the
 * test then.
 */
import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import type { Browser, BrowserContext, Page } from "./_chromium.ts";

/** A message of Realtime, as Phoenix writes it. */
export interface Frame {
  topic: string;
  event: string;
  payload: Record<string, unknown>;
}

export interface Visitor extends AsyncDisposable {
  context: BrowserContext;
  page: Page;
  frames: Frame[];
  /** Method and path of each request, without preflights. */
  requests: string[];
  signUp(): Promise<void>;
  click(button: string): Promise<void>;
  pickFile(text: string): Promise<void>;
  /** The texts of all elements that a selector finds, as they are now. */
  text(selector: string): Promise<string[]>;
  /** The project that signing up has made. */
  projectId(): Promise<string>;
  /** The id of the check that the page follows. */
  jobId(): Promise<string>;
  /** Waits for a text in the element with this id. */
  sees(id: string, text: string | RegExp): Promise<void>;
}

const PATIENCE_MS = 20_000;

export async function visit(browser: Browser, url: string): Promise<Visitor> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const frames: Frame[] = [];
  const requests: string[] = [];
  const errors: string[] = [];
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
  page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) => frames.push(readFrame(payload)));
  });
  await page.goto(url);
  const visitor: Visitor = {
    context,
    page,
    frames,
    requests,
    click: (button) => page.getByRole("button", { name: button }).click(),
    async signUp() {
      await page.locator("[name=email]").fill(`visitor-${crypto.randomUUID()}@example.test`);
      await page.locator("[name=password]").fill(crypto.randomUUID());
      await visitor.click("Sign up");
    },
    async pickFile(text) {
      const file = { name: "components.csv", mimeType: "text/csv", buffer: Buffer.from(text) };
      await page.locator("#file:enabled").setInputFiles(file);
    },
    text: (selector) => page.locator(selector).allTextContents(),
    async projectId() {
      await visitor.sees("project", /./);
      return (await visitor.text("#project"))[0] ?? "";
    },
    jobId: () => page.evaluate(() => location.hash.slice(1), null),
    async sees(id, text) {
      await page.locator(`#${id}`).filter({ hasText: text }).waitFor();
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      assertEquals(errors, [], "errors that the page did not catch");
    },
  };
  return visitor;
}

/** Texts are arrays; a broadcast is five lengths and kinds, three names and the payload. */
function readFrame(data: string | Uint8Array): Frame {
  if (typeof data === "string") {
    const [, , topic, event, payload] = JSON.parse(data);
    return { topic, event, payload };
  }
  const [, topicSize = 0, eventSize = 0, metaSize = 0] = data;
  const text = new TextDecoder();
  const names = data.subarray(5);
  return {
    topic: text.decode(names.subarray(0, topicSize)),
    event: text.decode(names.subarray(topicSize, topicSize + eventSize)),
    payload: JSON.parse(text.decode(names.subarray(topicSize + eventSize + metaSize))),
  };
}
