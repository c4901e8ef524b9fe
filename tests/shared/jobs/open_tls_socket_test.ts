import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SetupError } from "../../../shared/errors.ts";
import { openSocket } from "../../../shared/jobs/open_socket.ts";
import { openSession, type Sql } from "../../../shared/jobs/open_session.ts";
import { readCa, startTlsDatabase } from "../../helpers/tls_database.ts";

interface Session extends AsyncDisposable {
  sql: Sql;
}

/** A session as a function opens it that has this certificate authority as a secret. */
function open(url: string, ca: string | null): Session {
  if (ca === null) Deno.env.delete("LONGSHORE_DB_CA");
  else Deno.env.set("LONGSHORE_DB_CA", ca);
  const sql = openSession(url, { applicationName: `test-${crypto.randomUUID()}` });
  return {
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 0 });
      Deno.env.delete("LONGSHORE_DB_CA");
    },
  };
}

async function isEncrypted(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ ssl: boolean }[]>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
  return row!.ssl;
}

Deno.test("openSession() speaks TLS with a server whose certificate is verified", async (test) => {
  await using database = await startTlsDatabase();

  for (const mode of ["require", "verify-full", "prefer"]) {
    await test.step(`sslmode=${mode}`, async () => {
      await using session = open(database.url(mode), readCa("ca"));
      assertEquals(await isEncrypted(session.sql), true);
    });
  }

  await test.step("an authority given in one line, behind another one", async () => {
    const ca = `${readCa("other_ca")}${readCa("ca")}`.replaceAll("\n", "\\n");
    await using session = open(database.url("require"), ca);
    assertEquals(await isEncrypted(session.sql), true);
  });

  await test.step("without sslmode nothing is encrypted", async () => {
    await using session = open(database.url("disable"), null);
    assertEquals(await isEncrypted(session.sql), false);
  });

  await test.step("megabytes go both ways and arrive whole", async () => {
    await using session = open(database.url("require"), readCa("ca"));
    const text = "0123456789abcdef".repeat(300_000);
    const [row] = await session.sql<{ text: string }[]>`select ${text}::text as text`;
    assert(row!.text === text);
    const copied = await session.sql.begin(async (sql) => {
      await sql`create temporary table lines (line text) on commit drop`;
      const lines = Array.from({ length: 500 }, (_, n) => `${n} ${"x".repeat(20_000)}\n`);
      await pipeline(Readable.from(lines), await sql`copy lines from stdin`.writable());
      const [sum] = await sql`select count(*)::int as lines, sum(length(line))::int as characters from lines`;
      return sum;
    });
    assertEquals(copied, { lines: 500, characters: 500 * 20_001 + 10 + 90 * 2 + 400 * 3 });
  });

  await test.step("a session that was cut is followed by another one", async () => {
    await using admin = open(database.url("disable"), null);
    await using session = open(database.url("require"), readCa("ca"));
    const [row] = await session.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
    const asleep = Promise.allSettled([session.sql`select pg_sleep(60)`]);
    await admin.sql`select pg_terminate_backend(${row!.pid}, 5000)`;
    assertEquals((await asleep)[0]!.status, "rejected");
    assertEquals(await isEncrypted(session.sql), true);
  });

  await test.step("a certificate of nobody the runtime knows is refused", async () => {
    await using session = open(database.url("require"), null);
    const error = await assertRejects(() => isEncrypted(session.sql), SetupError);
    assertEquals(error.code, "CERTIFICATE_NOT_VERIFIED");
    assertMatch(error.message, /UnknownIssuer.*expected one.*the runtime knows.*set "LONGSHORE_DB_CA"/);
  });

  await test.step("a certificate of another authority is refused", async () => {
    await using session = open(database.url("prefer"), readCa("other_ca"));
    const error = await assertRejects(() => isEncrypted(session.sql), SetupError);
    assertEquals(error.code, "CERTIFICATE_NOT_VERIFIED");
    assertMatch(error.message, /expected one signed by an authority in "LONGSHORE_DB_CA"/);
  });

  await test.step("an authority that is none is refused", async () => {
    await using session = open(database.url("require"), "/etc/ssl/prod-ca-2021.crt");
    const error = await assertRejects(() => isEncrypted(session.sql), SetupError);
    assertEquals(error.code, "CERTIFICATE_AUTHORITY_UNREADABLE");
    assert(!error.message.includes("prod-ca"));
  });

  await test.step("the certificate of another host is refused", async () => {
    await database.show("elsewhere");
    await using session = open(database.url("require"), readCa("ca"));
    const error = await assertRejects(() => isEncrypted(session.sql), SetupError);
    assertEquals(error.code, "CERTIFICATE_NOT_VERIFIED");
    assertMatch(error.message, /NotValidForName|not valid for name/);
  });

  await test.step("a server without TLS is refused, unless TLS was only preferred", async () => {
    await database.show("nothing");
    await using session = open(database.url("require"), readCa("ca"));
    const error = await assertRejects(() => isEncrypted(session.sql), SetupError);
    assertEquals(error.code, "SERVER_WITHOUT_TLS");
    await using preferring = open(database.url("prefer"), readCa("ca"));
    assertEquals(await isEncrypted(preferring.sql), false);
  });
});

Deno.test("openSocket() closes what it has opened to a server that is silent", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const closed = Promise.withResolvers<void>();
  (async () => {
    using connection = await listener.accept();
    const bytes = new Uint8Array(64);
    while (await connection.read(bytes) !== null);
    closed.resolve();
  })();
  const { port } = listener.addr;
  const url = new URL(`postgres://nobody@127.0.0.1:${port}/postgres?sslmode=require`);
  const opening = openSocket(url, { timeoutMs: 200, onLost: () => Promise.resolve() });
  const error = await assertRejects(() => opening, Error);
  assertEquals("code" in error && error.code, "CONNECT_TIMEOUT");
  await closed.promise;
});
