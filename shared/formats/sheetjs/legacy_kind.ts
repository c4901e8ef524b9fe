/**
 * Whether a file is a workbook of one of the older or other kinds, by what is in it. Null for all else, .xlsx and files
 * that are protected by a password among them: their own reader says what is wrong with them.
 */
import type { ByteSource } from "../reader.ts";
import { readZipDirectory } from "../xlsx/read_zip_directory.ts";
import { readCompoundNames } from "../xlsx/read_compound_names.ts";

export type LegacyKind = "xls" | "xlsb" | "ods";

export async function legacyKind(source: ByteSource): Promise<LegacyKind | null> {
  const [first, second] = await source.read(0, Math.min(2, source.size));
  if (first === 0xd0 && second === 0xcf) {
    const names = await readCompoundNames(source);
    return !names.has("EncryptedPackage") && (names.has("Workbook") || names.has("Book")) ? "xls" : null;
  }
  if (first !== 0x50 || second !== 0x4b) return null;
  const directory = await readZipDirectory(source);
  if (directory.find("xl/workbook.bin")) return "xlsb";
  return directory.find("content.xml") && directory.find("META-INF/manifest.xml") ? "ods" : null;
}
