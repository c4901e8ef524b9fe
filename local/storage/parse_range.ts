/** The part of a file that a Range header asks for: one range, as the server's file store takes it, or a refusal. */
import { refused } from "./storage_error.ts";

export interface ByteRange {
  from: number;
  size: number;
}

export function parseRange(header: string, fileSize: number): ByteRange {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  if (first === "" && last === "") throw refused.range();
  // "-n" means the last n bytes.
  const from = first === "" ? Math.max(fileSize - Number(last), 0) : Number(first);
  const to = first === "" || last === "" ? fileSize - 1 : Math.min(Number(last), fileSize - 1);
  if (from >= fileSize || to < from) throw refused.range();
  return { from, size: to - from + 1 };
}
