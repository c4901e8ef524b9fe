/**
 * Which names the server takes. In: a bucket's or an object's name, decoded. Out: nothing, or the server's refusal.
 * The bytes are kept under versions and never under names, so a name is no path; "." and ".." are refused all the
 * same, as the file-backed server does, because clients would resolve them.
 */
import { refused } from "./storage_error.ts";

const OBJECT_NAME = /^[A-Za-z0-9_/!.*'() &$=@;:+,?-]+$/;
const BUCKET_NAME = /^[A-Za-z0-9_!.*'() &$=@;:+,?-]{1,100}$/;
/** Bytes of a key in S3. */
const LONGEST_NAME = 1024;

export function checkObjectName(name: string): void {
  if (!OBJECT_NAME.test(name)) throw refused.invalidKey(name);
  if (name.split("/").some((part) => part === "." || part === "..")) {
    throw refused.invalidKey(`${name} contains dot path segment`);
  }
  if (name.length > LONGEST_NAME) throw refused.keyTooLong();
}

export function checkBucketName(name: string): void {
  if (!BUCKET_NAME.test(name)) throw refused.invalidBucketName();
}
