import { assertEquals } from "@std/assert";
import { storableText } from "../../../shared/text/storable_text.ts";

Deno.test("storableText() keeps what jsonb can hold and marks what it cannot", () => {
  assertEquals(storableText("Größe 🙂 \ud83d x\0y"), "Größe 🙂 \ufffd x\ufffdy");
});
