/**
 * Puts secrets into the Vault. In: the database as superuser, and values by name. Out: each is there with this value,
 * made or changed. The database needs them to call the functions, and addresses change from start to start.
 */
import postgres from "postgres";

export async function setVaultSecrets(adminUrl: string, secrets: Record<string, string>): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {}, prepare: false });
  try {
    for (const [name, secret] of Object.entries(secrets)) {
      const [known] = await sql<{ id: string }[]>`select id from vault.secrets where name = ${name}`;
      if (known) await sql`select vault.update_secret(${known.id}, ${secret})`;
      else await sql`select vault.create_secret(${secret}, ${name}, 'Set at every start of the local stack')`;
    }
  } finally {
    await sql.end();
  }
}
