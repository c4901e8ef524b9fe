/** One request to the Storage server, after its route is known, and the parts of the server that answer it. */
import type { ServiceCall } from "../service.ts";
import type { Database } from "./open_database.ts";
import type { Files } from "./open_files.ts";
import type { UrlSigner } from "./open_url_signer.ts";

export interface StorageCall extends ServiceCall {
  /** What `storage.operation()` says while it runs, such as `storage.object.upload`. */
  operation: string;
  /** The bucket in the path, decoded; empty where the route has none. */
  bucket: string;
  /** The object's name (or the upload's id) in the path, decoded; empty where the route has none. */
  name: string;
}

export interface StorageParts {
  database: Database;
  files: Files;
  urlSigner: UrlSigner;
  /** Bytes of one object, whatever its bucket says. */
  fileSizeLimit: number;
}
