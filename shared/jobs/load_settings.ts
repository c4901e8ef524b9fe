/** The settings as they are now, for a function that has no slice: it opens a session for this one look. */
import { connect } from "./connect.ts";
import { readSettings } from "./engine.ts";
import type { Settings } from "./job.ts";

export async function loadSettings(): Promise<Settings> {
  const connection = connect();
  try {
    return await readSettings(connection.beside);
  } finally {
    await connection.end();
  }
}
