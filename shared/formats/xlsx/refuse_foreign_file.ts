/**
 * Refuses a file that is no zip archive, by its first bytes, and says what it is as far as that helps its owner.
 * Reads at most a few kilobytes.
 */

import { LongshoreError } from "../../errors.ts";
import type { ByteSource } from "../reader.ts";
import { readCompoundNames } from "./read_compound_names.ts";

const OLE2_SIGNATURE = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
const ZIP_SIGNATURES = [[0x50, 0x4b, 0x03, 0x04], [0x50, 0x4b, 0x05, 0x06]];

export async function refuseForeignFile(source: ByteSource): Promise<void> {
  if (source.size === 0) {
    throw new LongshoreError("empty_file", "Cannot open the workbook: the file is empty");
  }
  const head = await source.read(0, Math.min(8, source.size));
  const startsWith = (signature: number[]) => signature.every((byte, i) => head[i] === byte);
  if (ZIP_SIGNATURES.some(startsWith)) return;
  if (!startsWith(OLE2_SIGNATURE)) {
    throw new LongshoreError(
      "unreadable_file",
      "Cannot open the workbook: the file does not start like a zip archive, which every .xlsx workbook is",
    );
  }
  if ((await readCompoundNames(source)).has("EncryptedPackage")) {
    throw new LongshoreError(
      "encrypted_file",
      "Cannot open the workbook: it is protected by a password, expected none: save it without and try again",
    );
  }
  throw new LongshoreError(
    "unsupported_format",
    "Cannot open the workbook: found the older .xls format, expected .xlsx: save it as .xlsx and try again",
  );
}
