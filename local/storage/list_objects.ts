/**
 * What is under a prefix, as the caller may see it. In: a prefix, an order and a place to go on from. Out: entries;
 * everything below the next "/" is one folder, which has a name and nothing else.
 */
import type { Transaction } from "./open_database.ts";
import { optionalInteger, optionalText, readJson, requiredText } from "./read_json.ts";
import type { StorageCall, StorageParts } from "./storage_call.ts";
import { refused } from "./storage_error.ts";

interface Entry {
  name: string;
  id: string | null;
  updated_at: Date | null;
  created_at: Date | null;
  last_accessed_at: Date | null;
  metadata: unknown;
}

interface Order {
  column: string;
  descending: boolean;
}

/** Where a page of the second listing ended. */
interface Cursor {
  name: string;
  /** The time in the column of the order; empty where the order is by name. */
  time: string;
}

const MOST_LISTED = 1500;
const MOST_LISTED_V2 = 1000;

/** `POST /object/list/B`: pages by offset, names relative to the prefix, and case does not count. */
export async function listObjects(parts: StorageParts, call: StorageCall): Promise<Response> {
  const body = await readJson(call.request);
  const asked = requiredText(body, "prefix");
  const prefix = asked === "" || asked.endsWith("/") ? asked : `${asked}/`;
  const start = prefix + (optionalText(body, "search") ?? "");
  const order = readOrder(body, ["name", "updated_at", "created_at", "last_accessed_at"]);
  const limit = Math.min(optionalInteger(body, "limit", { min: 1 }) ?? 100, MOST_LISTED);
  const offset = optionalInteger(body, "offset", { min: 0 }) ?? 0;

  const entries = await parts.database.as(call, (sql) => {
    const direction = order.descending ? sql`desc` : sql`asc`;
    // Folders have no times: they come first, by name.
    const sorted = order.column === "name"
      ? sql`lower(name) collate "C" ${direction}`
      : sql`id is null desc, ${sql(order.column)} ${direction}, lower(name) collate "C" ${direction}`;
    return sql<Entry[]>`
      with found as (
        select objects.*, position('/' in substr(name, ${start.length + 1}::int)) as slash
        from storage.objects
        where bucket_id = ${call.bucket}
          and lower(name) collate "C" ^@ lower(${start})
      ), entries as (
        select substr(name, ${
      prefix.length + 1
    }::int) as name, id, updated_at, created_at, last_accessed_at, metadata
        from found
        where slash = 0
        union all
        select min(substr(name, ${prefix.length + 1}::int, ${start.length - prefix.length}::int + slash - 1)),
          null, null, null, null, null
        from found
        where slash > 0
        group by lower(substr(name, 1, ${start.length}::int + slash))
      )
      select * from entries order by ${sorted} limit ${limit} offset ${offset}`;
  });
  return Response.json(entries);
}

/** `POST /object/list-v2/B`: pages by cursor, whole names, folders apart from objects. */
export async function listObjectsV2(parts: StorageParts, call: StorageCall): Promise<Response> {
  const body = await readJson(call.request);
  const prefix = optionalText(body, "prefix") ?? "";
  const order = readOrder(body, ["name", "updated_at", "created_at"]);
  const limit = Math.min(optionalInteger(body, "limit", { min: 1 }) ?? MOST_LISTED_V2, MOST_LISTED_V2);
  const after = decodeCursor(optionalText(body, "cursor"));
  const folders = body["with_delimiter"] === true;

  const found = await parts.database.as(
    call,
    (sql) => page(sql, { bucket: call.bucket, prefix, order, folders, after, limit: limit + 1 }),
  );
  const entries = found.slice(0, limit);
  const last = entries.at(-1);
  const more = found.length > limit && last !== undefined;
  return Response.json({
    hasNext: more,
    ...(more ? { nextCursor: encodeCursor(last, order), nextCursorKey: last.name } : {}),
    folders: entries.filter((entry) => entry.id === null).map(({ name }) => ({ key: lastPart(name), name })),
    objects: entries.filter((entry) => entry.id !== null).map((entry) => ({
      key: lastPart(entry.name),
      ...entry,
    })),
  });
}

interface PageOptions {
  bucket: string;
  prefix: string;
  order: Order;
  folders: boolean;
  after: Cursor | undefined;
  limit: number;
}

function page(sql: Transaction, options: PageOptions): Promise<Entry[]> {
  const { order, after } = options;
  const direction = order.descending ? sql`desc` : sql`asc`;
  const beyond = order.descending ? sql`<` : sql`>`;
  // Cursors carry milliseconds, so the order has no more.
  const time = order.column === "name" ? null : sql`date_trunc('milliseconds', ${sql(order.column)})`;
  const place = time ? sql`(${time}, name collate "C")` : sql`(name collate "C")`;
  const from = after && (time ? sql`(${after.time}::timestamptz, ${after.name})` : sql`(${after.name})`);
  return sql<Entry[]>`
    with found as (
      select objects.*, case when ${options.folders} then
          position('/' in substr(name, ${options.prefix.length + 1}::int)) else 0 end as slash
      from storage.objects
      where bucket_id = ${options.bucket}
        and name collate "C" ^@ ${options.prefix}
    ), entries as (
      select name, id, updated_at, created_at, last_accessed_at, metadata from found where slash = 0
      union all
      select substr(name, 1, ${options.prefix.length}::int + slash), null, min(created_at), min(created_at), null, null
      from found
      where slash > 0
      group by 1
    )
    select * from entries
    where ${from ? sql`${place} ${beyond} ${from}` : sql`true`}
    order by ${time ? sql`${time} ${direction},` : sql``} name collate "C" ${direction}
    limit ${options.limit}`;
}

function readOrder(body: Record<string, unknown>, columns: string[]): Order {
  const sortBy = body["sortBy"];
  if (typeof sortBy !== "object" || sortBy === null) return { column: "name", descending: false };
  const given: Record<string, unknown> = { ...sortBy };
  const column = optionalText(given, "column") ?? "name";
  const order = optionalText(given, "order") || "asc";
  if (!columns.includes(column)) {
    throw refused.invalidRequest("body/sortBy/column must be equal to one of the allowed values");
  }
  if (order !== "asc" && order !== "desc") {
    throw refused.invalidRequest("body/sortBy/order must be equal to one of the allowed values");
  }
  return { column, descending: order === "desc" };
}

function encodeCursor(entry: Entry, order: Order): string {
  const time = order.column === "updated_at"
    ? entry.updated_at
    : order.column === "created_at"
    ? entry.created_at
    : null;
  const cursor: Cursor = { name: entry.name, time: time?.toISOString() ?? "" };
  return new TextEncoder().encode(JSON.stringify(cursor)).toBase64();
}

function decodeCursor(text: string | undefined): Cursor | undefined {
  if (!text) return undefined;
  try {
    const { name, time } = JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(text)));
    if (typeof name === "string" && typeof time === "string") return { name, time };
  } catch {
    // Told below, with everything else that is no cursor.
  }
  throw refused.invalidParameter("continuation token");
}

/** `b` of `a/b` and of `a/b/`. */
function lastPart(name: string): string {
  return name.replace(/\/$/, "").split("/").at(-1) ?? name;
}
