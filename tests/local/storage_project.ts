/**
 * The Storage stand-in behind the gateway, on a Postgres of its own. Out: clients for each persona, a bucket in which
 * everyone has a folder, and ways to look at what is left on disk and in the tables.
 */
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { startGateway } from "../../local/gateway.ts";
import { loadKeys } from "../../local/keys.ts";
import { installPlatform } from "../../local/platform.ts";
import { startPostgres } from "../../local/postgres.ts";
import { startStorage } from "../../local/storage.ts";

export const OWNER = "00000000-0000-4000-8000-000000000001";
export const STRANGER = "00000000-0000-4000-8000-000000000002";

export interface StorageProject {
  url: string;
  /** The token of OWNER, for requests that the client has no method for. */
  ownerToken: string;
  strangerToken: string;
  owner: SupabaseClient;
  stranger: SupabaseClient;
  anonymous: SupabaseClient;
  service: SupabaseClient;
  /** As superuser. */
  admin: postgres.Sql;
  /** The files of complete objects, and of uploads that are under way. */
  filesOnDisk(): Promise<{ objects: string[]; incoming: string[]; resumable: string[] }>;
  /** Bytes of one of them, such as `objects/…`. */
  sizeOnDisk(file: string): Promise<number>;
  stop(): Promise<void>;
}

/** In the bucket "private", people may do everything in the folder that has their id as its name. */
const POLICIES = `
  insert into storage.buckets (id, name, public) values ('private', 'private', false), ('open', 'open', true);
  create policy own_read on storage.objects for select to authenticated
    using (bucket_id = 'private' and (storage.foldername(name))[1] = auth.uid()::text);
  create policy own_insert on storage.objects for insert to authenticated
    with check (bucket_id = 'private' and (storage.foldername(name))[1] = auth.uid()::text);
  create policy own_update on storage.objects for update to authenticated
    using (bucket_id = 'private' and (storage.foldername(name))[1] = auth.uid()::text);
  create policy own_delete on storage.objects for delete to authenticated
    using (bucket_id = 'private' and (storage.foldername(name))[1] = auth.uid()::text);
`;

export async function startStorageProject(): Promise<StorageProject> {
  const dir = await Deno.makeTempDir({ dir: "/var/tmp" });
  await Deno.chmod(dir, 0o755);
  const database = await startPostgres({ dataDir: `${dir}/db`, durable: false });
  const adminUrl = database.url("supabase_admin");
  await installPlatform(adminUrl);
  const keys = await loadKeys(`${dir}/keys.json`);
  const storage = await startStorage({ adminUrl, keys, dir: `${dir}/storage` });
  const gateway = startGateway({ port: 0, keys, services: { storage } });
  const admin = postgres(adminUrl, { max: 2, onnotice: () => {} });
  await admin.unsafe(POLICIES);

  const person = async (sub: string) => await keys.sign({ sub, role: "authenticated" }, 3600);
  const withToken = (token: string) =>
    createClient(gateway.url, keys.publishableKey, { accessToken: () => Promise.resolve(token) });
  const options = { auth: { persistSession: false, autoRefreshToken: false } };
  const ownerToken = await person(OWNER);
  const strangerToken = await person(STRANGER);
  const list = async (name: string) => {
    const names: string[] = [];
    for await (const entry of Deno.readDir(`${dir}/storage/${name}`)) names.push(entry.name);
    return names;
  };

  return {
    url: `${gateway.url}/storage/v1`,
    ownerToken,
    strangerToken,
    owner: withToken(ownerToken),
    stranger: withToken(strangerToken),
    anonymous: createClient(gateway.url, keys.publishableKey, options),
    service: createClient(gateway.url, keys.secretKey, options),
    admin,
    filesOnDisk: async () => ({
      objects: await list("objects"),
      incoming: await list("incoming"),
      resumable: await list("resumable"),
    }),
    sizeOnDisk: async (file) => (await Deno.stat(`${dir}/storage/${file}`)).size,
    async stop() {
      await admin.end();
      await gateway.stop();
      await storage.stop();
      await database.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
