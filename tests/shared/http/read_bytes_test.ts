import { assert, assertEquals } from "@std/assert";
import { readBytes } from "../../../shared/http/read_bytes.ts";

/** A request of so many pieces of 1,000 bytes, and how many of them were taken. */
function request(
  pieces: number,
  headers: Record<string, string> = {},
): { request: Request; taken(): number } {
  let taken = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (taken === pieces) return controller.close();
      controller.enqueue(new Uint8Array(1000).fill(++taken));
    },
  });
  return {
    request: new Request("http://x", { method: "POST", body, headers }),
    taken: () => taken,
  };
}

Deno.test("readBytes() gives the bytes of a body that is as long as it may be", async () => {
  const bytes = await readBytes(request(3).request, { atMost: 3000 });
  assertEquals([bytes?.length, bytes?.[0], bytes?.[2999]], [3000, 1, 3]);
  assertEquals(await readBytes(new Request("http://x", { method: "POST" }), { atMost: 1 }), new Uint8Array());
});

Deno.test("readBytes() takes the whole of a body that is somewhat too long, and gives nothing", async () => {
  for (const headers of [{}, { "content-length": "4000" }] as Record<string, string>[]) {
    const long = request(4, headers);
    assertEquals([await readBytes(long.request, { atMost: 3000 }), long.taken()], [null, 4]);
  }
});

Deno.test("readBytes() stops taking a body that does not end", async () => {
  const endless = request(Infinity);
  assertEquals(await readBytes(endless.request, { atMost: 3000 }), null);
  assert(endless.taken() < 30);
});
