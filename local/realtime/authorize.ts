/**
 * What a token may do on a private topic, asked of the policies on `realtime.messages` as the hosted service asks:
 * by rows that are inserted and rolled back. In: claims and topic. Out: yes or no. It keeps no answers.
 *
 * The probe rows have a topic and an extension and nothing else (event and payload are null, private is false), so a
 * policy that tests other columns answers no here as it does hosted.
 */
import type { Sql, TransactionSql } from "postgres";
import type { Claims } from "../service.ts";

export type Extension = "broadcast" | "presence";

export interface Subject {
  claims: Claims;
  topic: string;
  /** What policies see as `request.headers`. */
  headers: Record<string, string>;
}

/** Which of `extensions` the subject may read. Throws what the policies throw. */
export async function authorizeRead(
  sql: Sql,
  { subject, extensions }: { subject: Subject; extensions: Extension[] },
): Promise<Partial<Record<Extension, boolean>>> {
  const probes = extensions.map((extension) => ({
    id: crypto.randomUUID(),
    topic: subject.topic,
    extension,
  }));
  return await rolledBack(sql, async (transaction) => {
    await transaction`insert into realtime.messages ${transaction(probes)}`;
    await become(transaction, subject);
    const rows = await transaction<{ id: string }[]>`
      select id from realtime.messages where id in ${transaction(probes.map((probe) => probe.id))}`;
    const visible = new Set(rows.map((row) => row.id));
    return Object.fromEntries(probes.map((probe) => [probe.extension, visible.has(probe.id)]));
  });
}

/** Which extensions the subject may write. Throws what the policies throw, save that the right is missing. */
export async function authorizeWrite(sql: Sql, subject: Subject): Promise<Record<Extension, boolean>> {
  return await rolledBack(sql, async (transaction) => {
    await become(transaction, subject);
    const mayInsert = (extension: Extension) =>
      transaction.savepoint((savepoint) =>
        savepoint`insert into realtime.messages (topic, extension) values (${subject.topic}, ${extension})`
      ).then(() => true, (error) => {
        if (error.code === "42501") return false;
        throw error;
      });
    return { broadcast: await mayInsert("broadcast"), presence: await mayInsert("presence") };
  });
}

async function become(transaction: TransactionSql, { claims, topic, headers }: Subject): Promise<void> {
  await transaction`
    select
      set_config('role', ${claims.role}, true),
      set_config('realtime.topic', ${topic}, true),
      set_config('request.jwt.claims', ${JSON.stringify(claims)}, true),
      set_config('request.jwt.claim.sub', ${claims.sub ?? null}, true),
      set_config('request.jwt.claim.role', ${claims.role}, true),
      set_config('request.headers', ${JSON.stringify(headers)}, true)`;
}

async function rolledBack<T>(sql: Sql, work: (transaction: TransactionSql) => Promise<T>): Promise<T> {
  const done: { result?: T } = {};
  const rollback = new Error("Rolled back on purpose");
  try {
    await sql.begin(async (transaction) => {
      done.result = await work(transaction);
      throw rollback;
    });
  } catch (error) {
    if (error !== rollback) throw error;
  }
  return done.result as T;
}
