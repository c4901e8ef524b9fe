/** Calls from a page of another origin: what its browser asks for first is allowed, and what it may read is there. */
import { assertEquals } from "@std/assert";
import { scene } from "./_scene.ts";

/** One call, as a page makes it. */
interface Call {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
}

scene("functions let pages of any origin send the contract's headers", async ({ open, stack }) => {
  await using visitor = await open();
  const headers = {
    "content-type": "application/json",
    "idempotency-key": crypto.randomUUID(),
    "x-request-id": "given-by-the-page",
    "x-client-info": "a page",
    "x-retry-count": "1",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  };
  for (const name of stack.functions) {
    const path = `/functions/v1/${name}`;
    const answer = await send({ method: "POST", path, headers, body: "{}" });
    assertEquals(answer?.headers["x-request-id"], "given-by-the-page", name);
    const unknown = await send({ method: "POST", path, headers: { "x-unheard-of": "1" }, body: "{}" });
    assertEquals(unknown, null, "the browser asks for each header");
  }

  async function send(call: Call): Promise<Answer | null> {
    const { url, publishableKey: key } = stack;
    return await visitor.page.evaluate(fetchInPage, { url, key, token: null, call });
  }
});

scene("Storage and tables let pages of any origin in, resumable uploads too", async ({ open, stack }) => {
  await using visitor = await open();
  await visitor.signUp();
  await visitor.projectId();
  const { token, orgId } = await visitor.page.evaluate(async () => {
    const [name = ""] = Object.keys(localStorage).filter((key) => key.endsWith("-auth-token"));
    const token: string = JSON.parse(localStorage.getItem(name) ?? "{}").access_token;
    const { url, publishableKey } = await (await fetch("config.json")).json();
    const answer = await fetch(`${url}/rest/v1/organizations?select=id`, {
      headers: { apikey: publishableKey, authorization: `Bearer ${token}` },
    });
    return { token, orgId: String((await answer.json())[0].id) };
  }, null);
  const base = "/storage/v1";
  const name = `${orgId}/${crypto.randomUUID()}/rows.csv`;

  const uploaded = await send({
    method: "POST",
    path: `${base}/object/imports/${name}`,
    headers: { "content-type": "text/csv", "x-upsert": "false", "cache-control": "max-age=60" },
    body: "tag\nT-1\n",
  });
  assertEquals(uploaded?.status, 200);
  const part = await send({
    method: "GET",
    path: `${base}/object/authenticated/imports/${name}`,
    headers: { range: "bytes=0-2" },
  });
  assertEquals([part?.status, part?.headers["content-range"]], [206, "bytes 0-2/8"]);

  const tus = { "tus-resumable": "1.0.0" };
  const resumable = `${orgId}/${crypto.randomUUID()}/rows.csv`;
  const metadata = { bucketName: "imports", objectName: resumable, contentType: "text/csv" };
  const created = await send({
    method: "POST",
    path: `${base}/upload/resumable`,
    headers: {
      ...tus,
      "upload-length": "8",
      "upload-metadata": Object.entries(metadata).map(([key, value]) => `${key} ${btoa(value)}`).join(),
    },
  });
  assertEquals(created?.status, 201);
  const { pathname } = new URL(created?.headers["location"] ?? "", stack.url);
  const sent = await send({
    method: "PATCH",
    path: pathname,
    headers: { ...tus, "upload-offset": "0", "content-type": "application/offset+octet-stream" },
    body: "tag\nT-1\n",
  });
  assertEquals([sent?.status, sent?.headers["upload-offset"]], [204, "8"]);

  const counted = await send({
    method: "HEAD",
    path: "/rest/v1/projects?select=id",
    headers: { "accept-profile": "pipetrak", prefer: "count=exact" },
  });
  assertEquals([counted?.status, counted?.headers["content-range"]], [200, "0-0/1"]);

  async function send(call: Call): Promise<Answer | null> {
    const { url, publishableKey: key } = stack;
    return await visitor.page.evaluate(fetchInPage, { url, key, token, call });
  }
});

/** Runs in the page. Null where its browser does not let the call through. */
async function fetchInPage(
  { url, key, token, call }: { url: string; key: string; token: string | null; call: Call },
): Promise<Answer | null> {
  try {
    const response = await fetch(url + call.path, {
      method: call.method,
      headers: {
        apikey: key,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: call.body }),
    });
    return { status: response.status, headers: Object.fromEntries(response.headers) };
  } catch {
    return null;
  }
}
