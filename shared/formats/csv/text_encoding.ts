/**
 * What the reader must know about an encoding beside decoding it: where lines end in the bytes. Every cut
 * through a file and every cursor is at the start of a line, found in the bytes, so no character is ever
 * split and no offset depends on how broken bytes were decoded. Does not guess which encoding a file has.
 */
import { LongshoreError } from "../../errors.ts";

const LF = 0x0a;
const CR = 0x0d;

/** Encodings in which a byte 0x0a may be something else than a line feed. */
const UNREADABLE = new Set(["iso-2022-jp", "replacement", "x-user-defined"]);

export class TextEncoding {
  /** The name by the WHATWG Encoding Standard, such as `utf-8` or `windows-1252`. */
  readonly name: string;
  /** Bytes of one code unit: 2 for UTF-16, otherwise 1. */
  readonly unit: 1 | 2;
  readonly #lowByte: 0 | 1;

  /** `label` is any name the Encoding Standard knows, such as `latin1`; an unknown one is refused. */
  constructor(label: string) {
    this.name = nameOf(label);
    this.unit = this.name.startsWith("utf-16") ? 2 : 1;
    this.#lowByte = this.name === "utf-16be" ? 1 : 0;
  }

  /**
   * The text of whole lines. What cannot be decoded, and NUL, which no database text can hold, becomes
   * U+FFFD.
   */
  decode(bytes: Uint8Array): string {
    const text = new TextDecoder(this.name, { ignoreBOM: true }).decode(bytes);
    return text.includes("\0") ? text.replaceAll("\0", "\ufffd") : text;
  }

  /** Bytes of the byte order mark at the start of a file, 0 where there is none. */
  bomLength(head: Uint8Array): number {
    if (this.name === "utf-8") return startsWith(head, [0xef, 0xbb, 0xbf]) ? 3 : 0;
    if (this.name === "utf-16le") return startsWith(head, [0xff, 0xfe]) ? 2 : 0;
    if (this.name === "utf-16be") return startsWith(head, [0xfe, 0xff]) ? 2 : 0;
    return 0;
  }

  /**
   * Where the last line end in `bytes` is over, or 0. A CR at the very end does not count: it may be half of
   * a CRLF.
   */
  lastLineEnd(bytes: Uint8Array): number {
    const whole = bytes.length - bytes.length % this.unit;
    for (let at = whole - this.unit; at >= 0; at -= this.unit) {
      const code = this.#codeAt(bytes, at);
      if (code === LF || (code === CR && at + this.unit < whole)) return at + this.unit;
    }
    return 0;
  }

  /** The bytes that are whole code units; without a CR at the very end, which may be half of a CRLF. */
  wholeUnits(bytes: Uint8Array): number {
    const whole = bytes.length - bytes.length % this.unit;
    return whole > 0 && this.#codeAt(bytes, whole - this.unit) === CR ? whole - this.unit : whole;
  }

  /**
   * Where the `count`-th line end at or after `from` is over; fewer line ends give -1. A CR at the very end
   * of `bytes` counts only if they are the file's last (`final`).
   */
  afterLines(bytes: Uint8Array, options: { from: number; count: number; final: boolean }): number {
    const { unit } = this;
    let { from: at, count } = options;
    for (; count > 0 && at + unit <= bytes.length; at += unit) {
      if (bytes[at + this.#lowByte]! > CR) continue;
      const code = this.#codeAt(bytes, at);
      if (code === LF) {
        count--;
      } else if (code === CR) {
        if (at + 2 * unit > bytes.length && !options.final) return -1;
        if (this.#codeAt(bytes, at + unit) === LF) at += unit;
        count--;
      }
    }
    return count === 0 ? at : -1;
  }

  /** The code unit at `at` where it is below 256, otherwise some number that is not. */
  #codeAt(bytes: Uint8Array, at: number): number {
    if (this.unit === 1) return bytes[at] ?? -1;
    return (bytes[at + this.#lowByte] ?? -1) + 256 * (bytes[at + 1 - this.#lowByte] ?? 1);
  }
}

function nameOf(label: string): string {
  let name: string | null = null;
  try {
    name = new TextDecoder(label).encoding;
  } catch {
    // The platform knows no such encoding; the refusal below says so in our words.
  }
  if (name === null || UNREADABLE.has(name)) {
    throw new LongshoreError(
      "invalid_request",
      `Cannot read text in encoding "${label}": expected "utf-8", "utf-16le", "utf-16be", "windows-1252" or another ` +
        `name of the WHATWG Encoding Standard`,
    );
  }
  return name;
}

function startsWith(bytes: Uint8Array, prefix: number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}
