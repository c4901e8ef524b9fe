/** Uploads in pieces: the TUS requests that clients send, by persona, with connections that break. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { OWNER, startStorageProject, type StorageProject, STRANGER } from "./storage_project.ts";

let project: StorageProject;
Deno.test.beforeAll(async () => {
  project = await startStorageProject();
});
Deno.test.afterAll(() => project.stop());

interface Tus {
  method: string;
  /** @default the owner's */
  token?: string;
  headers?: Record<string, string>;
  body?: BodyInit;
  signal?: AbortSignal;
}

function tus(url: string, options: Tus): Promise<Response> {
  const { method, body, signal, token = project.ownerToken } = options;
  const headers = { authorization: `Bearer ${token}`, "tus-resumable": "1.0.0", ...options.headers };
  return fetch(url, { method, headers, ...(body ? { body } : {}), ...(signal ? { signal } : {}) });
}

function create(
  name: string,
  options: { length?: number; headers?: Record<string, string>; token?: string } = {},
) {
  const metadata = { bucketName: "private", objectName: name, contentType: "text/csv", cacheControl: "60" };
  const pairs = Object.entries({ ...metadata, metadata: '{"sheet":1}' }).map(([key, value]) =>
    `${key} ${btoa(value)}`
  );
  const headers = { "upload-metadata": pairs.join(","), "upload-length": String(options.length ?? 10) };
  const { token = project.ownerToken } = options;
  return tus(`${project.url}/upload/resumable`, {
    method: "POST",
    token,
    headers: { ...headers, ...options.headers },
  });
}

function patch(url: string, offset: number, options: Partial<Tus> = {}) {
  const headers = { "content-type": "application/offset+octet-stream", "upload-offset": String(offset) };
  return tus(url, { method: "PATCH", ...options, headers: { ...headers, ...options.headers } });
}

async function offsetOf(url: string): Promise<string | null> {
  return (await tus(url, { method: "HEAD" })).headers.get("upload-offset");
}

async function row(name: string) {
  const [found] = await project.admin`select * from storage.objects where name = ${name}`;
  return found;
}

function fresh(owner = OWNER): string {
  return `${owner}/${crypto.randomUUID()}.csv`;
}

Deno.test("an upload in pieces becomes one object", async () => {
  const name = fresh();
  const created = await create(name);
  assertEquals(created.status, 201);
  const url = created.headers.get("location") ?? "";
  assertMatch(url, /^http:\/\/127\.0\.0\.1:\d+\/storage\/v1\/upload\/resumable\/[\w-]+$/);
  assert(created.headers.get("upload-expires"));
  assertEquals(await offsetOf(url), "0");

  const first = await patch(url, 0, { body: "01234" });
  assertEquals([first.status, first.headers.get("upload-offset")], [204, "5"]);
  assertEquals(first.headers.get("tus-complete"), null);
  assertEquals(await row(name), undefined);
  const head = await tus(url, { method: "HEAD" });
  assertEquals([head.headers.get("upload-offset"), head.headers.get("upload-length")], ["5", "10"]);
  assertEquals(head.headers.get("cache-control"), "no-store");

  const last = await patch(url, 5, { body: "56789" });
  assertEquals([last.status, last.headers.get("tus-complete")], [204, "1"]);
  const stored = await row(name);
  assertEquals([stored?.owner_id, stored?.user_metadata], [OWNER, { sheet: 1 }]);
  const { mimetype, size, cacheControl } = stored?.metadata ?? {};
  assertEquals([mimetype, size, cacheControl], ["text/csv", 10, "max-age=60"]);
  assertEquals(await (await project.owner.storage.from("private").download(name)).data?.text(), "0123456789");
  assertEquals((await project.filesOnDisk()).resumable, []);
  assertEquals((await tus(url, { method: "HEAD" })).status, 404);
});

Deno.test("the first piece may come with the creation, and the length with a later one", async () => {
  const name = fresh();
  const pairs = [`bucketName ${btoa("private")}`, `objectName ${btoa(name)}`];
  const created = await tus(`${project.url}/upload/resumable`, {
    method: "POST",
    headers: {
      "upload-metadata": pairs.join(","),
      "upload-defer-length": "1",
      "content-type": "application/offset+octet-stream",
    },
    body: "abc",
  });
  assertEquals([created.status, created.headers.get("upload-offset")], [201, "3"]);
  const url = created.headers.get("location") ?? "";
  assertEquals((await tus(url, { method: "HEAD" })).headers.get("upload-defer-length"), "1");
  for (const [length, status] of [["6000000000", 413], ["2", 400]] as const) {
    assertEquals((await patch(url, 3, { body: "def", headers: { "upload-length": length } })).status, status);
  }
  const last = await patch(url, 3, { body: "def", headers: { "upload-length": "6" } });
  assertEquals(last.headers.get("tus-complete"), "1");
  assertEquals((await row(name))?.metadata.mimetype, "application/octet-stream");

  const empty = fresh();
  assertEquals((await create(empty, { length: 0 })).headers.get("tus-complete"), "1");
  assertEquals((await row(empty))?.metadata.size, 0);
});

const MEGABYTE = 1024 * 1024;

/** A body that sends its text and then hangs. */
function hanging(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
    },
  });
}

/** Until the server has put this much of the only upload on disk; asking it by HEAD would end the request. */
async function untilOnDisk(bytes: number): Promise<void> {
  const [version = ""] = (await project.filesOnDisk()).resumable.filter((file) => !file.endsWith(".json"));
  while (await project.sizeOnDisk(`resumable/${version}`) < bytes) {
    await new Promise((go) => setTimeout(go, 10));
  }
}

Deno.test("a piece that breaks off keeps what arrived, and the next one goes on from there", async () => {
  const name = fresh();
  const whole = "0123456789abcdef".repeat(4 * MEGABYTE / 16);
  const url = (await create(name, { length: whole.length })).headers.get("location") ?? "";
  const stop = new AbortController();
  const body = hanging(whole.slice(0, 2.5 * MEGABYTE));
  const broken = patch(url, 0, { body, signal: stop.signal }).catch(() => "broken");
  await untilOnDisk(2 * MEGABYTE);
  stop.abort();
  assertEquals(await broken, "broken");

  const offset = Number(await offsetOf(url));
  assert(offset >= 2 * MEGABYTE && offset <= 2.5 * MEGABYTE, `${offset}`);
  const rest = await patch(url, offset, { body: whole.slice(offset) });
  assertEquals(rest.headers.get("tus-complete"), "1");
  const text = await (await project.owner.storage.from("private").download(name)).data?.text();
  assertEquals(text === whole, true);
});

Deno.test("a client that comes back takes over from its own request that still hangs", async () => {
  const whole = "x".repeat(2 * MEGABYTE);
  const url = (await create(fresh(), { length: whole.length })).headers.get("location") ?? "";
  const stop = new AbortController();
  const first = patch(url, 0, { body: hanging(whole.slice(0, 1.5 * MEGABYTE)), signal: stop.signal })
    .then((answer) => answer.status, () => "broken");
  await untilOnDisk(MEGABYTE);
  const offset = Number(await offsetOf(url));
  assertEquals((await patch(url, offset, { body: whole.slice(offset) })).status, 204);
  stop.abort();
  assert(await first !== 204);
});

Deno.test("refusals have their own status: order, size, right, version, made-up addresses", async () => {
  const name = fresh();
  const url = (await create(name)).headers.get("location") ?? "";
  const statusOf = async (answer: Promise<Response>) => {
    const response = await answer;
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await statusOf(patch(url, 3, { body: "abc" })), 409);
  assertEquals(await statusOf(patch(url, 0, { body: "x".repeat(11) })), 413);
  assertEquals(await offsetOf(url), "0");
  assertEquals(await statusOf(patch(url, 0, { body: "x", headers: { "content-type": "text/plain" } })), 403);
  assertEquals(await statusOf(patch(url, 0, { body: "x", headers: { "tus-resumable": "0.2.2" } })), 412);
  assertEquals(await statusOf(create(fresh(STRANGER))), 403);
  assertEquals(await statusOf(create("../../etc/passwd")), 400);
  assertEquals(await statusOf(create(fresh(), { headers: { "upload-length": "-1" } })), 400);
  assertEquals(await statusOf(create(fresh(), { length: 6e9 })), 413);
  const forged = url.replace(/[\w-]+$/, btoa(`private/${name}/../../url_signing.key`).replaceAll("=", ""));
  assertEquals(await statusOf(tus(forged, { method: "HEAD" })), 404);

  const stranger = project.strangerToken;
  assertEquals(await statusOf(patch(url, 0, { body: "abc", token: stranger })), 403);
  assertEquals(await statusOf(tus(url, { method: "DELETE", token: stranger })), 403);
  assertEquals(await statusOf(tus(url, { method: "DELETE" })), 204);
  assertEquals(await offsetOf(url), null);

  await project.owner.storage.from("private").upload(name, "there");
  assertEquals(await statusOf(create(name)), 409);
  assertEquals(await statusOf(create(name, { headers: { "x-upsert": "true" } })), 201);
});

Deno.test("a signed upload comes in pieces too, with the signer's right", async () => {
  const name = fresh();
  const { data } = await project.owner.storage.from("private").createSignedUploadUrl(name);
  const signed = (signature: string) => {
    const headers = {
      "tus-resumable": "1.0.0",
      "x-signature": signature,
      "upload-length": "3",
      "upload-metadata": `bucketName ${btoa("private")},objectName ${btoa(name)}`,
    };
    return fetch(`${project.url}/upload/resumable/sign`, { method: "POST", headers });
  };
  assertEquals((await signed(project.ownerToken)).status, 400);
  const created = await signed(data?.token ?? "");
  assertEquals(created.status, 201);
  const headers = {
    "tus-resumable": "1.0.0",
    "x-signature": data?.token ?? "",
    "upload-offset": "0",
    "content-type": "application/offset+octet-stream",
  };
  const done = await fetch(created.headers.get("location") ?? "", { method: "PATCH", headers, body: "abc" });
  assertEquals([done.status, done.headers.get("tus-complete")], [204, "1"]);
  assertEquals((await row(name))?.owner_id, OWNER);
});
