import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { type Keys, loadKeys } from "../../local/keys.ts";

async function withKeys(test: (keys: Keys, path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const path = join(dir, "keys.json");
    await test(await loadKeys(path), path);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("loadKeys() makes keys once, for their owner only", async () => {
  await withKeys(async (keys, path) => {
    const again = await loadKeys(path);
    assertEquals([again.publishableKey, again.secretKey, again.jwks], [
      keys.publishableKey,
      keys.secretKey,
      keys.jwks,
    ]);
    assert(keys.publishableKey.startsWith("sb_publishable_") && keys.secretKey.startsWith("sb_secret_"));
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    assertEquals(await again.verify(keys.serviceRoleToken), await keys.verify(keys.serviceRoleToken));
  });
});

Deno.test("verify() knows own tokens until they expire, and nobody else's", async () => {
  await withKeys(async (keys) => {
    const token = await keys.sign({ role: "authenticated", sub: "x" }, 60);
    assertEquals((await keys.verify(token))?.sub, "x");
    assertEquals((await keys.verify(token))?.sub, "x");
    assertEquals(await keys.verify(await keys.sign({ role: "authenticated" }, -1)), null);
    assertEquals(await keys.verify(await keys.sign({ sub: "without a role" }, 60)), null);

    const [header, , signature] = token.split(".");
    const other = btoa(JSON.stringify({ role: "service_role" })).replaceAll("=", "");
    assertEquals(await keys.verify(`${header}.${other}.${signature}`), null);
    const none = btoa(JSON.stringify({ alg: "none" })).replaceAll("=", "");
    assertEquals(await keys.verify(`${none}.${other}.`), null);
    for (const text of ["", "a.b.c", "not a token", "..", token.slice(1)]) {
      assertEquals(await keys.verify(text), null);
    }

    await withKeys(async (foreign) => {
      assertNotEquals(foreign.secretKey, keys.secretKey);
      assertEquals(await foreign.verify(token), null);
    });
  });
});
