/** The Storage stand-in through the real client, by persona: uploads, downloads, lists, links and buckets. */
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { OWNER, startStorageProject, type StorageProject, STRANGER } from "./storage_project.ts";

let project: StorageProject;
Deno.test.beforeAll(async () => {
  project = await startStorageProject();
});
Deno.test.afterAll(() => project.stop());

/** A name of its own in somebody's folder, so that no test sees another's objects. */
function fresh(name: string, owner = OWNER): string {
  return `${owner}/${crypto.randomUUID()}/${name}`;
}

/** What a call was refused with. */
function refusal(error: unknown): Record<"status" | "statusCode" | "message" | "code", unknown> {
  if (!(error instanceof Error)) throw new Error("Expected a refusal, found none");
  const { status, statusCode, code } = Object.fromEntries(Object.entries(error));
  return { status, statusCode, message: error.message, code };
}

async function row(name: string) {
  const [found] = await project.admin`select * from storage.objects where name = ${name}`;
  return found;
}

async function eventually(what: () => Promise<boolean>): Promise<void> {
  while (!await what()) await new Promise((go) => setTimeout(go, 10));
}

Deno.test("upload() stores a Blob with its type, cache time, metadata and owner", async () => {
  const name = fresh("a.csv");
  const file = new Blob(["a,b\r\n--1,2\r\n"], { type: "text/csv" });
  const { data, error } = await project.owner.storage.from("private")
    .upload(name, file, { cacheControl: "60", metadata: { sheet: "Übersicht" } });
  assertEquals(error, null);
  assertEquals(data?.path, name);
  assertEquals(data?.fullPath, `private/${name}`);

  const stored = await row(name);
  assertEquals(stored?.id, data?.id);
  assertEquals([stored?.owner, stored?.owner_id], [OWNER, OWNER]);
  assertEquals(stored?.user_metadata, { sheet: "Übersicht" });
  assertEquals(stored?.path_tokens, name.split("/"));
  const { metadata } = stored ?? {};
  assertEquals([metadata.mimetype, metadata.size, metadata.contentLength], ["text/csv", 12, 12]);
  assertEquals([metadata.cacheControl, metadata.httpStatusCode], ["max-age=60", 200]);
  const back = await project.owner.storage.from("private").download(name);
  assertEquals(await back.data?.text(), "a,b\r\n--1,2\r\n");
});

Deno.test("upload() stores bare bytes and streams", async () => {
  const bodies = {
    bytes: new Uint8Array([0, 13, 10, 255]),
    stream: new Blob(["x".repeat(300_000)]).stream(),
  };
  for (const [kind, body] of Object.entries(bodies)) {
    const name = fresh(kind);
    const { error } = await project.owner.storage.from("private")
      .upload(name, body, { contentType: "application/octet-stream", metadata: { kind } });
    assertEquals(error, null, kind);
    const stored = await row(name);
    assertEquals(stored?.metadata.size, kind === "bytes" ? 4 : 300_000);
    assertEquals(stored?.user_metadata, { kind });
    assertEquals(stored?.metadata.cacheControl, "max-age=3600");
  }
});

Deno.test("upload() finds the end of a form's file wherever its bytes are cut", async () => {
  // Boundaries look like line breaks and dashes; so does this file.
  const text = "\r\n--\r\n----\r\n-".repeat(20_000);
  const name = fresh("tricky.txt");
  const { error } = await project.owner.storage.from("private").upload(name, new Blob([text, ""]));
  assertEquals(error, null);
  const { data } = await project.owner.storage.from("private").download(name);
  assertEquals((await data?.text()) === text, true);

  const empty = fresh("empty.txt");
  assertEquals((await project.owner.storage.from("private").upload(empty, new Blob([]))).error, null);
  assertEquals((await row(empty))?.metadata.size, 0);
  assertEquals((await project.owner.storage.from("private").download(empty)).data?.size, 0);
});

Deno.test("upload() refuses a name that is taken, and replaces it by upsert() and update()", async () => {
  const bucket = project.owner.storage.from("private");
  const name = fresh("a.txt");
  await bucket.upload(name, "one");
  const first = await row(name);
  const again = await bucket.upload(name, "two");
  assertEquals(refusal(again.error), {
    status: 400,
    statusCode: "409",
    message: "The resource already exists",
    code: "KeyAlreadyExists",
  });
  assertEquals((await row(name))?.version, first?.version);

  assertEquals((await bucket.upload(name, "two", { upsert: true })).error, null);
  const second = await row(name);
  assertEquals(second?.id, first?.id);
  assertNotEquals(second?.version, first?.version);
  assertNotEquals(second?.metadata.eTag, first?.metadata.eTag);
  assertEquals((await bucket.update(name, "three")).error, null);
  assertEquals(await (await bucket.download(name)).data?.text(), "three");
  const { objects } = await project.filesOnDisk();
  assertEquals([first, second].map((old) => objects.includes(old?.version)), [false, false]);
});

Deno.test("acting as a stranger: nothing of the owner's can be seen, written or removed", async () => {
  const name = fresh("secret.txt");
  await project.owner.storage.from("private").upload(name, "secret");
  const bucket = project.stranger.storage.from("private");

  const hidden = { status: 400, statusCode: "404", message: "Object not found", code: "NoSuchKey" };
  assertEquals((await bucket.info(name)).error && refusal((await bucket.info(name)).error), hidden);
  assertEquals((await bucket.exists(name)).data, false);
  assertEquals(refusal((await bucket.createSignedUrl(name, 60)).error), hidden);
  assertEquals(refusal((await bucket.copy(name, fresh("x", STRANGER))).error), hidden);
  assertEquals(refusal((await bucket.move(name, fresh("x", STRANGER))).error), hidden);
  assertEquals((await bucket.list(name.slice(0, name.lastIndexOf("/")))).data, []);
  assertEquals((await bucket.remove([name])).data, []);
  const download = await fetch(`${project.url}/object/private/${name}`);
  assertEquals([download.status, (await download.json()).code], [400, "NoSuchBucket"]);

  const forbidden = {
    status: 400,
    statusCode: "403",
    message: "new row violates row-level security policy",
    code: "AccessDenied",
  };
  assertEquals(refusal((await bucket.upload(fresh("x"), "x")).error), forbidden);
  assertEquals(refusal((await bucket.upload(name, "x", { upsert: true })).error), forbidden);
  assertEquals(refusal((await bucket.createSignedUploadUrl(fresh("x"))).error), forbidden);
  assertEquals(await (await project.owner.storage.from("private").download(name)).data?.text(), "secret");
});

Deno.test("acting as nobody: a private bucket takes and shows nothing", async () => {
  const bucket = project.anonymous.storage.from("private");
  assertEquals(refusal((await bucket.upload(fresh("x"), "x")).error).statusCode, "403");
  assertEquals((await bucket.list(OWNER)).data, []);
  assertEquals((await project.anonymous.storage.listBuckets()).data, []);
});

Deno.test("acting as the service: everything can be read and written, by the role's BYPASSRLS", async () => {
  const name = fresh("a.txt");
  const bucket = project.service.storage.from("private");
  assertEquals((await bucket.upload(name, "by the service")).error, null);
  assertEquals((await row(name))?.owner_id, null);
  assertEquals(
    await (await project.owner.storage.from("private").download(name)).data?.text(),
    "by the service",
  );
  assertEquals((await bucket.remove([name])).data?.length, 1);
});

Deno.test("upload() needs INSERT alone, upsert SELECT and UPDATE too, remove() SELECT and DELETE", async () => {
  const { admin } = project;
  await admin`insert into storage.buckets (id, name) values ('drop', 'drop')`;
  await admin`create policy drop_insert on storage.objects for insert to authenticated with check (bucket_id = 'drop')`;
  const bucket = project.owner.storage.from("drop");
  assertEquals((await bucket.upload("a.txt", "a")).error, null);
  assertEquals(refusal((await bucket.upload("b.txt", "b", { upsert: true })).error).statusCode, "403");
  assertEquals((await bucket.remove(["a.txt"])).data, []);

  await admin`create policy drop_delete on storage.objects for delete to authenticated using (bucket_id = 'drop')`;
  assertEquals((await bucket.remove(["a.txt"])).data, []);
  await admin`create policy drop_select on storage.objects for select to authenticated using (bucket_id = 'drop')`;
  assertEquals(refusal((await bucket.upload("a.txt", "b", { upsert: true })).error).statusCode, "403");
  assertEquals((await bucket.remove(["a.txt"])).data?.map((object) => object.name), ["a.txt"]);
});

Deno.test("policies see the operation, the claims and what the client declared", async () => {
  const { admin } = project;
  await admin`insert into storage.buckets (id, name) values ('picky', 'picky')`;
  await admin`
    create policy picky_insert on storage.objects for insert to authenticated with check (
      bucket_id = 'picky' and storage.allow_only_operation('object.upload') and auth.role() = 'authenticated'
      and owner_id = auth.uid()::text and metadata->>'mimetype' = 'text/csv'
      and current_setting('request.method') = 'POST'
    )`;
  const bucket = project.owner.storage.from("picky");
  assertEquals((await bucket.upload("a.csv", "a", { contentType: "text/csv" })).error, null);
  assertEquals(
    refusal((await bucket.upload("a.txt", "a", { contentType: "text/plain" })).error).statusCode,
    "403",
  );
  assertEquals(refusal((await bucket.createSignedUploadUrl("b.csv")).error).statusCode, "403");
});

Deno.test("names are checked: no unicode, no dots as folders, none empty, none too long", async () => {
  const bucket = project.service.storage.from("private");
  for (const name of ["ümlaut.csv", "日本.csv", "a%b.csv", "a#b", 'a"b', "a\\b", "tab\t", "a<b>"]) {
    const { error } = await bucket.upload(encodeURIComponent(name), "x");
    assertEquals([name, refusal(error).code], [name, "InvalidKey"]);
  }
  const raw = async (path: string, method = "POST") => {
    const headers = { authorization: `Bearer ${project.ownerToken}`, "content-type": "text/plain" };
    const response = await fetch(`${project.url}/object/${path}`, { method, headers, body: "x" });
    return [response.status, (await response.json()).code];
  };
  assertEquals(await raw(`private/${OWNER}%2F..%2F${STRANGER}%2Fx`), [400, "InvalidKey"]);
  assertEquals(await raw(`private/${OWNER}/..%2F..%2F..%2Fetc%2Fpasswd`), [400, "InvalidKey"]);
  assertEquals(await raw(`private/${OWNER}/%2e%2e%2f${STRANGER}/x`), [400, "InvalidKey"]);
  assertEquals(await raw("private/"), [400, "InvalidKey"]);
  assertEquals(await raw("private"), [404, "InvalidRequest"]);
  assertEquals(await raw("private/%zz"), [400, "InvalidKey"]);
  assertEquals(await raw("..%2Fprivate/x"), [400, "NoSuchBucket"]);
  assertEquals(await raw(`private/${OWNER}/${"n".repeat(2000)}`), [400, "S3Error"]);
  // A client resolves plain dots before it sends: this is the stranger's folder, where the owner may not write.
  assertEquals(await raw(`private/${OWNER}/../${STRANGER}/x`), [400, "AccessDenied"]);
  // Odd, but allowed, and kept as they are.
  for (const name of ["a b (1)+=@&$;:,'!*?.csv", "a//b", ".hidden", "n".repeat(900)]) {
    const path = `${OWNER}/${encodeURIComponent(name)}`;
    assertEquals(await raw(`private/${path}`), [200, undefined], name);
    assert(await row(`${OWNER}/${name}`), name);
  }
});

Deno.test("a bucket's limits hold for forms and bytes, and leave nothing behind", async () => {
  const { error } = await project.service.storage.createBucket("small", {
    public: false,
    fileSizeLimit: "1KB",
    allowedMimeTypes: ["text/csv", "image/*"],
  });
  assertEquals(error, null);
  const bucket = project.service.storage.from("small");
  const text = { contentType: "text/csv" };
  const tooLarge = (await bucket.upload("big.csv", new Blob(["x".repeat(1001)], { type: "text/csv" }))).error;
  assertEquals(refusal(tooLarge), {
    status: 400,
    statusCode: "413",
    message: "The object exceeded the maximum allowed size",
    code: "EntityTooLarge",
  });
  assertEquals(refusal((await bucket.upload("big.csv", "x".repeat(1001), text)).error).statusCode, "413");
  assertEquals((await bucket.upload("fits.csv", "x".repeat(1000), text)).error, null);
  assertEquals((await bucket.upload("a.png", new Blob(["x"], { type: "image/png" }))).error, null);
  const html = await bucket.upload("a.html", "<p>", { contentType: "text/html" });
  assertEquals([refusal(html.error).statusCode, refusal(html.error).code], ["415", "InvalidMimeType"]);
  assertEquals((await project.filesOnDisk()).incoming, []);
  const missing = await project.service.storage.from("nowhere").upload("a", "a");
  assertEquals(refusal(missing.error).code, "NoSuchBucket");
});

Deno.test("an upload that breaks off leaves nothing behind", async () => {
  const { hostname, port } = new URL(project.url);
  const form = `--b\r\ncontent-disposition: form-data; name=""; filename="a"\r\n\r\n`;
  const kinds = { bytes: ["text/plain", ""], form: ["multipart/form-data; boundary=b", form] } as const;
  for (const [kind, [type, start]] of Object.entries(kinds)) {
    const name = fresh(`broken.${kind}`);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const head = [
      `POST /storage/v1/object/private/${name} HTTP/1.1`,
      `host: ${hostname}`,
      `authorization: Bearer ${project.ownerToken}`,
      `content-type: ${type}`,
      "content-length: 100000",
    ];
    const sent = `${head.join("\r\n")}\r\n\r\n${start}${"x".repeat(50_000)}`;
    await connection.write(new TextEncoder().encode(sent));
    await eventually(async () => (await project.filesOnDisk()).incoming.length === 1);
    const before = (await project.filesOnDisk()).objects.length;
    connection.close();
    await eventually(async () => (await project.filesOnDisk()).incoming.length === 0);
    assertEquals((await project.filesOnDisk()).objects.length, before, kind);
    assertEquals(await row(name), undefined, kind);
  }
});

Deno.test("download by range answers 206 with just these bytes, 416 beyond the end", async () => {
  const name = fresh("range.bin");
  const bytes = Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * 7) % 251);
  await project.owner.storage.from("private").upload(name, bytes);
  const get = (range: string) => {
    const headers = { authorization: `Bearer ${project.ownerToken}`, range };
    return fetch(`${project.url}/object/authenticated/private/${name}`, { headers });
  };
  const cases: [string, number, number][] = [
    ["bytes=0-0", 0, 1],
    ["bytes=100-199", 100, 100],
    ["bytes=1048570-2500000", 1_048_570, 1_451_431],
    ["bytes=2999990-9999999", 2_999_990, 10],
    ["bytes=2999999-", 2_999_999, 1],
    ["bytes=-5", 2_999_995, 5],
    ["bytes=-9999999", 0, 3_000_000],
  ];
  for (const [range, from, size] of cases) {
    const response = await get(range);
    assertEquals(response.status, 206, range);
    assertEquals(response.headers.get("content-range"), `bytes ${from}-${from + size - 1}/3000000`);
    assertEquals(response.headers.get("content-length"), String(size));
    assertEquals(new Uint8Array(await response.arrayBuffer()), bytes.slice(from, from + size), range);
  }
  for (const range of ["bytes=3000000-", "bytes=5-2", "bytes=-0", "bytes=-", "lines=1-2", "bytes=0-1,5-6"]) {
    const response = await get(range);
    assertEquals([range, response.status, (await response.json()).code], [range, 416, "InvalidRange"]);
  }
});

Deno.test("download tells what is unchanged by ETag or time, and HEAD tells the rest", async () => {
  const name = fresh("a.html");
  await project.owner.storage.from("private").upload(name, "<p>", {
    contentType: "text/html",
    cacheControl: "9",
  });
  const ask = (headers: Record<string, string>, method = "GET") => {
    const authorization = `Bearer ${project.ownerToken}`;
    return fetch(`${project.url}/object/private/${name}`, { method, headers: { authorization, ...headers } });
  };
  const whole = await ask({});
  assertEquals(await whole.text(), "<p>");
  assertEquals(whole.headers.get("content-type"), "text/plain");
  assertEquals(whole.headers.get("accept-ranges"), "bytes");
  assertEquals(whole.headers.get("cache-control"), "max-age=9");
  const etag = whole.headers.get("etag") ?? "";
  assertEquals(etag, (await row(name))?.metadata.eTag);

  const statusOf = async (headers: Record<string, string>) => {
    const response = await ask(headers);
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await statusOf({ "if-none-match": etag }), 304);
  assertEquals(await statusOf({ "if-none-match": '"another"' }), 200);
  assertEquals(await statusOf({ "if-modified-since": whole.headers.get("last-modified") ?? "" }), 304);
  assertEquals(await statusOf({ "if-modified-since": new Date(0).toUTCString() }), 200);
  const head = await ask({}, "HEAD");
  assertEquals([head.status, head.headers.get("content-length"), head.headers.get("etag")], [200, "3", etag]);

  const { data } = await project.owner.storage.from("private").info(name);
  assertEquals([data?.size, data?.contentType, data?.etag], [3, "text/html", etag]);
  assertEquals([data?.name, data?.bucketId, data?.cacheControl], [name, "private", "max-age=9"]);
  assertEquals((await project.owner.storage.from("private").exists(name)).data, true);
});

Deno.test("a public bucket is read by anyone, and written by policy only", async () => {
  const name = `${crypto.randomUUID()}.txt`;
  await project.service.storage.from("open").upload(name, "for all");
  const { data } = project.anonymous.storage.from("open").getPublicUrl(name, { download: "für alle.txt" });
  const response = await fetch(data.publicUrl);
  assertEquals(await response.text(), "for all");
  assertStringIncludes(response.headers.get("content-disposition") ?? "", "filename=f%C3%BCr%20alle.txt");
  assertEquals(await (await project.stranger.storage.from("open").download(name)).data?.text(), "for all");
  assertEquals((await project.stranger.storage.from("open").list()).data, []);
  assertEquals(refusal((await project.owner.storage.from("open").upload("x", "x")).error).statusCode, "403");
  const secret = await fetch(`${project.url}/object/public/private/${fresh("x")}`);
  assertEquals((await secret.json()).code, "NoSuchBucket");
});

Deno.test("list() shows one level, with folders, order, search and pages", async () => {
  const bucket = project.owner.storage.from("private");
  const folder = fresh("").replace(/\/$/, "");
  for (const name of ["b.csv", "A.csv", "c/1.csv", "c/2.csv", "d/e/f.csv", "x_y.csv", "xzy.csv"]) {
    assertEquals((await bucket.upload(`${folder}/${name}`, name)).error, null);
  }
  const names = async (...given: Parameters<typeof bucket.list>) => {
    const { data, error } = await bucket.list(...given);
    assertEquals(error, null);
    return data?.map((entry) => entry.name);
  };
  assertEquals(await names(folder), ["A.csv", "b.csv", "c", "d", "x_y.csv", "xzy.csv"]);
  assertEquals(await names(folder, { sortBy: { column: "name", order: "desc" } }), [
    ...["xzy.csv", "x_y.csv", "d", "c", "b.csv", "A.csv"],
  ]);
  assertEquals(await names(folder, { limit: 2, offset: 1 }), ["b.csv", "c"]);
  assertEquals(await names(folder, { search: "x_" }), ["x_y.csv"]);
  assertEquals(await names(`${folder}/c`), ["1.csv", "2.csv"]);
  assertEquals(await names(`${folder}/d`), ["e"]);
  const newest = { sortBy: { column: "created_at", order: "desc" } };
  assertEquals(await names(folder, newest), ["d", "c", "xzy.csv", "x_y.csv", "A.csv", "b.csv"]);
  const { data } = await bucket.list(folder);
  assertEquals(data?.map((entry) => entry.id === null), [false, false, true, true, false, false]);
  assertEquals(data?.[0]?.metadata?.size, 5);
});

Deno.test("listV2() goes through all pages by cursor, in every order", async () => {
  const bucket = project.owner.storage.from("private");
  const folder = fresh("");
  const files = ["a.csv", "b/1.csv", "b/2.csv", "b.csv", "c.csv", "d/1.csv"];
  for (const name of files) await bucket.upload(folder + name, name);
  const all = async (options: NonNullable<Parameters<typeof bucket.listV2>[0]>) => {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const { data, error } = await bucket.listV2({
        prefix: folder,
        limit: 2,
        ...options,
        ...(cursor && { cursor }),
      });
      assertEquals(error, null);
      names.push(
        ...[...data?.folders ?? [], ...data?.objects ?? []].map((entry) => entry.name.slice(folder.length)),
      );
      cursor = data?.nextCursor;
      assertEquals(data?.hasNext, cursor !== undefined);
    } while (cursor);
    return names.toSorted();
  };
  const sorted = files.toSorted();
  const folded = ["a.csv", "b.csv", "b/", "c.csv", "d/"].toSorted();
  for (const order of ["asc", "desc"] as const) {
    for (const column of ["name", "created_at", "updated_at"] as const) {
      assertEquals(await all({ sortBy: { column, order } }), sorted, `${column} ${order}`);
      assertEquals(
        await all({ sortBy: { column, order }, with_delimiter: true }),
        folded,
        `${column} ${order} folded`,
      );
    }
  }
});

Deno.test("copy() and move() keep the bytes under a new version", async () => {
  const bucket = project.owner.storage.from("private");
  const [from, copy, moved] = [fresh("from.txt"), fresh("copy.txt"), fresh("moved.txt")];
  await bucket.upload(from, "bytes", { metadata: { kept: true } });
  const source = await row(from);
  assertEquals((await bucket.copy(from, copy)).data?.path, `private/${copy}`);
  assertEquals((await row(copy))?.user_metadata, { kept: true });
  assertNotEquals((await row(copy))?.version, source?.version);
  assertEquals(refusal((await bucket.copy(from, copy)).error).statusCode, "409");
  assertEquals(refusal((await bucket.move(from, copy)).error).statusCode, "409");

  assertEquals((await bucket.move(from, moved)).error, null);
  assertEquals(await row(from), undefined);
  assertEquals((await row(moved))?.id, source?.id);
  assertNotEquals((await row(moved))?.version, source?.version);
  assertEquals(await (await bucket.download(moved)).data?.text(), "bytes");
  assertEquals((await bucket.remove([copy])).error, null);
  assertEquals(await (await bucket.download(moved)).data?.text(), "bytes");
  assertEquals(refusal((await bucket.move(moved, fresh("x", STRANGER))).error).statusCode, "403");
  assertEquals(
    (await bucket.move(moved, fresh("x"), { destinationBucket: "nowhere" })).error?.name,
    "StorageApiError",
  );
});

Deno.test("remove() returns what went, leaves out the rest, and takes the bytes along", async () => {
  const bucket = project.owner.storage.from("private");
  const name = fresh("a.txt");
  await bucket.upload(name, "a");
  const version = (await row(name))?.version;
  const { data } = await bucket.remove([name, fresh("never.txt")]);
  assertEquals(data?.map((object) => object.name), [name]);
  assertEquals((await project.filesOnDisk()).objects.includes(version), false);
  const many = await bucket.remove(Array.from({ length: 1001 }, (_, at) => `${OWNER}/${at}`));
  assertEquals(refusal(many.error).code, "InvalidRequest");
});

Deno.test("rows cannot be deleted behind the server's back", async () => {
  const name = fresh("a.txt");
  await project.service.storage.from("private").upload(name, "a");
  const error = await project.admin`delete from storage.objects where name = ${name}`.catch((thrown) =>
    thrown
  );
  assertEquals(error.code, "42501");
});

Deno.test("signed URLs read and write this one object until they expire", async () => {
  const bucket = project.owner.storage.from("private");
  const name = fresh("linked file.txt");
  const { data: link } = await bucket.createSignedUploadUrl(name);
  const uploaded = await project.anonymous.storage.from("private")
    .uploadToSignedUrl(name, link?.token ?? "", new Blob(["by link"]));
  assertEquals(uploaded.data?.fullPath, `private/${name}`);
  assertEquals((await row(name))?.owner_id, OWNER);
  const twice = await project.anonymous.storage.from("private").uploadToSignedUrl(
    name,
    link?.token ?? "",
    "again",
  );
  assertEquals(refusal(twice.error).statusCode, "409");
  const other = await project.anonymous.storage.from("private").uploadToSignedUrl(
    fresh("x"),
    link?.token ?? "",
    "x",
  );
  assertEquals(refusal(other.error).code, "InvalidSignature");

  const signed = (await bucket.createSignedUrl(name, 60, { download: "x.txt" })).data?.signedUrl ?? "";
  const response = await fetch(signed, { headers: { range: "bytes=3-6" } });
  assertEquals([response.status, await response.text()], [206, "link"]);
  assertStringIncludes(response.headers.get("content-disposition") ?? "", "x.txt");
  const read = async (url: string) => (await (await fetch(url)).json()).code;
  assertEquals(await read(signed.replace("linked", "other")), "InvalidSignature");
  assertEquals(await read(signed.replace(/token=[^&]*/, `token=${link?.token}`)), "InvalidSignature");
  assertEquals(await read(signed.replace(/token=[^&]*/, `token=${project.ownerToken}`)), "InvalidJWT");
  assertEquals(await read(signed.replace(/token=[^&]*/, "token=nonsense")), "InvalidJWT");

  const { data: links } = await bucket.createSignedUrls([name, fresh("never")], 60);
  assertEquals(links?.map((one) => one.error === null), [true, false]);
  assertEquals(await (await fetch(links?.[0]?.signedUrl ?? "")).text(), "by link");
  assertEquals(refusal((await bucket.createSignedUrl(name, 0)).error).code, "InvalidParameter");
});

Deno.test("buckets are made, changed, emptied and deleted by the service only", async () => {
  const { storage } = project.service;
  const id = `b-${crypto.randomUUID()}`;
  assertEquals((await storage.createBucket(id, { public: false, fileSizeLimit: 5000 })).data?.name, id);
  assertEquals(
    refusal((await storage.createBucket(id, { public: false })).error).code,
    "BucketAlreadyExists",
  );
  assertEquals((await storage.getBucket(id)).data?.file_size_limit, 5000);
  assertEquals(
    (await storage.updateBucket(id, { public: true, allowedMimeTypes: ["text/csv"] })).error,
    null,
  );
  const { data: bucket } = await storage.getBucket(id);
  assertEquals([bucket?.public, bucket?.file_size_limit, bucket?.allowed_mime_types], [true, 5000, [
    "text/csv",
  ]]);
  assert((await storage.listBuckets({ search: id })).data?.some((one) => one.id === id));

  await storage.from(id).upload("a.csv", "a", { contentType: "text/csv" });
  assertEquals(refusal((await storage.deleteBucket(id)).error).code, "ResourceNotEmpty");
  assertEquals((await storage.emptyBucket(id)).error, null);
  assertEquals((await storage.deleteBucket(id)).error, null);
  assertEquals(refusal((await storage.getBucket(id)).error).code, "NoSuchBucket");

  assertEquals(
    refusal((await project.owner.storage.createBucket("mine", { public: false })).error).statusCode,
    "403",
  );
  assertEquals(refusal((await project.owner.storage.deleteBucket("private")).error).statusCode, "409");
  assertEquals(
    refusal((await storage.createBucket(" spaced ", { public: false })).error).code,
    "InvalidBucketName",
  );
});

Deno.test("a call without a valid token is refused in the server's words", async () => {
  const headers = { authorization: "Bearer not.a.token" };
  const response = await fetch(`${project.url}/object/list/private`, { method: "POST", headers, body: "{}" });
  assertEquals(response.status, 400);
  const { statusCode, error, code } = await response.json();
  assertEquals({ statusCode, error, code }, {
    statusCode: "403",
    error: "Unauthorized",
    code: "AccessDenied",
  });
});
