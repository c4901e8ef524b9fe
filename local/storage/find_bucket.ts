/** A bucket and its limits, whoever asks: policies on `storage.buckets` do not decide over the objects in it. */
import type { StorageParts } from "./storage_call.ts";
import { refused } from "./storage_error.ts";

export interface Bucket {
  id: string;
  public: boolean;
  /** Most bytes of one object: the bucket's limit or the server's, whichever is less. */
  sizeLimit: number;
  /** What it takes, such as `text/csv` or `image/*`; null for anything. */
  allowedMimeTypes: string[] | null;
}

/** The bucket, or `NoSuchBucket`. */
export async function findBucket(parts: StorageParts, id: string): Promise<Bucket> {
  const [bucket] = await parts.database.sql<Bucket[]>`
    select id, public, least(file_size_limit, ${parts.fileSizeLimit}::bigint)::float8 as "sizeLimit",
      allowed_mime_types as "allowedMimeTypes"
    from storage.buckets
    where id = ${id}`;
  if (!bucket) throw refused.noSuchBucket();
  return bucket;
}
