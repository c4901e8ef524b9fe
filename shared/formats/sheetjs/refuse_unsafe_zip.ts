/**
 * Refuses an archive that is not safe to be inflated whole and taken apart by SheetJS: entries that lie about their sizes,
 * content that would grow too far, and repeated cells of an OpenDocument sheet, of which a few bytes can make millions.
 */
import { LongshoreError } from "../../errors.ts";
import type { ByteSource } from "../reader.ts";
import { readZipDirectory, type ZipEntry } from "../xlsx/read_zip_directory.ts";
import { readZipEntry } from "../xlsx/read_zip_entry.ts";
import type { LegacyKind } from "./legacy_kind.ts";
import { refuseDamagedRecords } from "./refuse_damaged_records.ts";

/** Inflated, in all. Measured: 0.9 s of CPU for an .ods of that size. */
const MAX_INFLATED_BYTES: Record<Exclude<LegacyKind, "xls">, number> = {
  xlsb: 40 * 1024 * 1024,
  ods: 40 * 1024 * 1024,
};
const MAX_CELLS = 1_000_000;

export async function refuseUnsafeZip(source: ByteSource, kind: Exclude<LegacyKind, "xls">): Promise<void> {
  const directory = await readZipDirectory(source);
  const entries = [...directory.entries.values()];
  const inflated = entries.reduce((sum, entry) => sum + entry.size, 0);
  if (inflated > MAX_INFLATED_BYTES[kind]) {
    throw new LongshoreError(
      "file_too_large",
      `Cannot read the .${kind} workbook: its content takes ${inflated} bytes, expected at most ` +
        `${MAX_INFLATED_BYTES[kind]}: save it as .xlsx and try again`,
      { details: { bytes: inflated, limit: MAX_INFLATED_BYTES[kind] } },
    );
  }
  // Each is held to what it says before anybody trusts it.
  for (const entry of entries) {
    const content = await contentOf(source, entry);
    if (kind === "xlsb") {
      if (
        /^xl\/(?:workbook|styles|sharedStrings|metadata|comments\d*|(?:worksheets|externalLinks)\/[^/]+)\.bin$/i
          .test(entry.name)
      ) {
        refuseDamagedRecords(content, entry.name);
      }
    } else if (entry.name === "META-INF/manifest.xml") {
      refuseEncrypted(new TextDecoder().decode(content));
    } else if (entry.name === "content.xml") {
      refuseManyCells(new TextDecoder().decode(content));
    }
  }
}

async function contentOf(source: ByteSource, entry: ZipEntry): Promise<Uint8Array> {
  const content = new Uint8Array(entry.size);
  let end = 0;
  for await (const chunk of readZipEntry(source, entry)) {
    content.set(chunk, end);
    end += chunk.length;
  }
  return content;
}

function refuseEncrypted(manifest: string): void {
  if (!manifest.includes("encryption-data")) return;
  throw new LongshoreError(
    "encrypted_file",
    "Cannot open the workbook: it is protected by a password, expected none: save it without and try again",
  );
}

const TAG = /<table:(table-row|table-cell|covered-table-cell)\b([^>]*)>/g;

function refuseManyCells(xml: string): void {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(xml)) {
    throw new LongshoreError(
      "unsafe_file",
      'Cannot read "content.xml": found a document type, expected none',
    );
  }
  let cells = 0;
  let rows = 1;
  for (const [, name, attributes = ""] of xml.matchAll(TAG)) {
    const times = Number(/-repeated\s*=\s*["'](\d{1,9})/.exec(attributes)?.[1] ?? 1);
    if (name === "table-row") rows = times;
    else if (/value-type/.test(attributes)) cells += rows * times;
    if (cells > MAX_CELLS) {
      throw new LongshoreError(
        "unsafe_file",
        `Cannot read the .ods workbook: found more than ${MAX_CELLS} cells, expected fewer: save it as .xlsx and try again`,
      );
    }
  }
}
