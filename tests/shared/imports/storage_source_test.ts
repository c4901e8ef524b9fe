import { assertEquals, assertRejects } from "@std/assert";
import { LongshoreError } from "../../../shared/errors.ts";
import { storageSource } from "../../../shared/imports/storage_source.ts";

Deno.test("storageSource() reads no other file than the pinned one, whatever its name is made of", async () => {
  const asked: string[] = [];
  const before = globalThis.fetch;
  globalThis.fetch = (input) => {
    asked.push(new URL(String(input)).pathname);
    return Promise.resolve(new Response("x", { status: 206 }));
  };
  Deno.env.set("SUPABASE_URL", "http://127.0.0.1:1");
  Deno.env.set("SUPABASE_SECRET_KEYS", '{"default":"sb_secret_test"}');
  try {
    const open = (path: string) =>
      storageSource({ bucket: "imports", path, id: "1", version: null, etag: null, size: 1 });
    for (const path of ["mine/../theirs/a.csv", "mine/./a.csv", "../exports/a.csv", ".."]) {
      const error = await assertRejects(() => open(path).read(0, 1), LongshoreError);
      assertEquals(error.code, "file_not_found");
    }
    assertEquals(asked, []);
    await open("mine/%2e%2e/a b?c#d\\..csv").read(0, 1);
    assertEquals(asked, ["/storage/v1/object/imports/mine/%252e%252e/a%20b%3Fc%23d%5C..csv"]);
  } finally {
    globalThis.fetch = before;
    Deno.env.delete("SUPABASE_URL");
    Deno.env.delete("SUPABASE_SECRET_KEYS");
  }
});
