/**
 * A query of supabase-js that is sent once. Newer ones send a query that only reads again, up to three times, with waits
 * between; beside the client's own attempts, giving up would take minutes. Older ones do not know the verb.
 */
export function withoutRetries<Query extends object>(query: Query): Query {
  if ("retry" in query && typeof query.retry === "function") query.retry(false);
  return query;
}
