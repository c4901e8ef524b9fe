import { assertEquals, assertThrows } from "@std/assert";
import { LongshoreError } from "../../../shared/errors.ts";
import { parseInput } from "../../../shared/http/read_body.ts";
import { CommitRequest, ImportRequest } from "../../../shared/imports/import_request.ts";

Deno.test("issueMessage() says of each field what was expected, and never repeats what was found", () => {
  const body = {
    dataset: 5,
    scope: ["secret"],
    options: { mode: "secret", header_row: 0, delimiter: ";;", date_order: null },
    file: { bucket: "secret" },
    extra: "secret",
  };
  const { message, details } = assertThrows(() => parseInput(body, ImportRequest), LongshoreError);
  assertEquals(message, 'Cannot read the request at "dataset": found a number, expected a string');
  assertEquals(details?.["issues"], [
    { path: "dataset", message: "found a number, expected a string" },
    { path: "scope", message: "found an array, expected an object" },
    { path: "options.mode", message: 'expected "insert", "upsert" or "update"' },
    { path: "options.header_row", message: "expected at least 1" },
    { path: "options.delimiter", message: "expected exactly 1 character" },
    { path: "options.date_order", message: 'expected "dmy", "mdy" or "ymd"' },
    { path: "file.bucket", message: 'expected "imports"' },
    { path: "file.path", message: "found nothing, expected a string" },
    { path: "", message: 'found the unknown field "extra"' },
  ]);
});

Deno.test("issueMessage() leaves a schema's own words as they are", () => {
  const commit = { import_id: crypto.randomUUID(), policy: "stop_after" };
  const { message } = assertThrows(() => parseInput(commit, CommitRequest), LongshoreError);
  assertEquals(
    message,
    'Cannot read the request at "stop_after": expected with the policy "stop_after", and only with it',
  );
});
