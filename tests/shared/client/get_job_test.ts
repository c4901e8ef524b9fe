import { assert, assertEquals, assertRejects } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { createLongshore, LongshoreClientError } from "../../../shared/client/mod.ts";

Deno.test("getJob() asks as often as it says while the database is down, and not once more", async () => {
  let asked = 0;
  const supabase = createClient("http://127.0.0.1:1", "key", {
    accessToken: () => Promise.resolve("token"),
    global: {
      fetch: () => {
        asked++;
        return Promise.resolve(Response.json({ code: "PGRST000", message: "No database" }, { status: 503 }));
      },
    },
  });
  const from = performance.now();
  const error = await assertRejects(
    () => createLongshore(supabase).getJob(crypto.randomUUID(), { attempts: 2 }),
    LongshoreClientError,
  );
  assertEquals([error.code, error.status, asked], ["internal", 503, 2]);
  assert(performance.now() - from < 3000);
});
