import { assert, assertEquals, assertRejects } from "@std/assert";
import { LongshoreError } from "../../../shared/errors.ts";
import { storageSource } from "../../../shared/imports/storage_source.ts";

/** Runs with a Storage that answers this. */
async function withStorage(answer: (path: string) => Response, run: () => Promise<void>): Promise<void> {
  const before = globalThis.fetch;
  globalThis.fetch = (input) => Promise.resolve(answer(new URL(String(input)).pathname));
  Deno.env.set("SUPABASE_URL", "http://127.0.0.1:1");
  Deno.env.set("SUPABASE_SECRET_KEYS", '{"default":"sb_secret_test"}');
  try {
    await run();
  } finally {
    globalThis.fetch = before;
    Deno.env.delete("SUPABASE_URL");
    Deno.env.delete("SUPABASE_SECRET_KEYS");
  }
}

const open = (path: string) =>
  storageSource({ bucket: "imports", path, id: "1", version: null, etag: '"1"', size: 1 });

Deno.test("storageSource() reads no other file than the pinned one, whatever its name is made of", async () => {
  const asked: string[] = [];
  await withStorage((path) => {
    asked.push(path);
    return new Response("x", { status: 206 });
  }, async () => {
    for (const path of ["mine/../theirs/a.csv", "mine/./a.csv", "../exports/a.csv", ".."]) {
      const error = await assertRejects(() => open(path).read(0, 1), LongshoreError);
      assertEquals(error.code, "file_not_found");
    }
    assertEquals(asked, []);
    await open("mine/%2e%2e/a b?c#d\\..csv").read(0, 1);
    assertEquals(asked, ["/storage/v1/object/imports/mine/%252e%252e/a%20b%3Fc%23d%5C..csv"]);
  });
});

const body = (statusCode: string, error: string, code: string) => ({ statusCode, error, message: "…", code });
const ANSWERS: { name: string; answer: () => Response; code: string; final: boolean }[] = [
  {
    name: "a file that is gone",
    answer: () => Response.json(body("404", "not_found", "NoSuchKey"), { status: 400 }),
    code: "file_not_found",
    final: true,
  },
  {
    name: "a file that is gone, by its own status",
    answer: () => new Response("", { status: 404 }),
    code: "file_not_found",
    final: true,
  },
  {
    name: "a file that has become shorter",
    answer: () => Response.json(body("416", "invalid_range", "InvalidRange"), { status: 416 }),
    code: "file_changed",
    final: true,
  },
  {
    name: "another file in its place",
    answer: () => new Response("x", { status: 206, headers: { etag: '"2"' } }),
    code: "file_changed",
    final: true,
  },
  {
    name: "a key that does not hold",
    answer: () => Response.json(body("403", "Unauthorized", "AccessDenied"), { status: 400 }),
    code: "AccessDenied",
    final: false,
  },
  {
    name: "too many connections",
    answer: () => Response.json(body("429", "too_many_connections", "TooManyConnections"), { status: 400 }),
    code: "TooManyConnections",
    final: false,
  },
  {
    name: "a page of a proxy",
    answer: () => new Response("<html>", { status: 400 }),
    code: "400",
    final: false,
  },
];

for (const { name, answer, code, final } of ANSWERS) {
  Deno.test(`storageSource() tells ${name} ${final ? "for good" : "as a failure that may pass"}`, async () => {
    await withStorage(answer, async () => {
      const error = await assertRejects(() => open("mine/a.csv").read(0, 1), Error);
      assertEquals(error instanceof LongshoreError, final);
      assert("code" in error);
      assertEquals(error.code, code);
    });
  });
}
