/**
 * The shared strings of a workbook by number, read as they are asked for: in pages, of which as many stay in memory as a
 * worker can hold. Programs number strings as they meet them, so a sheet read from top to bottom asks for the next page
 * and for those it has; one that asks here and there in more strings than fit is refused before it costs too much.
 */

import { LongshoreError } from "../../errors.ts";
import type { ByteSource } from "../reader.ts";
import { type PackedMark, packMark, unpackMark } from "./pack_mark.ts";
import { readTexts } from "./read_texts.ts";
import type { ZipEntry } from "./read_zip_directory.ts";
import type { EntryMark, ReadMeter } from "./read_zip_entry.ts";
import type { Texts } from "./texts.ts";

/** Where pages start, as plain JSON; not all of them. */
export interface StringsCursor {
  /** The prefix of the part's elements. */
  prefix: string;
  pages: { first: number; offset: number; mark: PackedMark }[];
  /** Bytes that were read so far, inflated. */
  read: number;
}

export interface SharedStringsOptions {
  meter?: ReadMeter;
  /** Where a former reader had come. @default nothing is known of the strings */
  cursor?: StringsCursor | undefined;
}

interface Page {
  /** The number of its first string. */
  first: number;
  /** Where in the inflated part that string starts. */
  offset: number;
  /** Before that; none for the first page. */
  mark: EntryMark | undefined;
  texts: Texts | undefined;
  /** When a string of it was asked for last. */
  used: number;
}

/** Inflated; a part that is not much larger is one page. */
const PAGE_BYTES = 8 * 1024 * 1024;
const ONE_PAGE_BYTES = 40 * 1024 * 1024;
/** Of all pages in memory. */
const MAX_BYTES = 72 * 1024 * 1024;
/** A mark is some kilobytes of a cursor. */
const MAX_CURSOR_PAGES = 8;
/** Strings that were asked for lately are given again instead of being cut out again. */
const RECENT_STRINGS = 4096;
/** How often all strings may be read, before it is clear that they do not come in the order of the sheet. */
const MAX_READS = 8;
const FREE_READ_BYTES = 256 * 1024 * 1024;

export class SharedStrings {
  readonly #source: ByteSource;
  readonly #entry: ZipEntry | undefined;
  readonly #meter: ReadMeter | undefined;
  #pages: Page[] = [{ first: 0, offset: 0, mark: undefined, texts: undefined, used: 0 }];
  /** All of them, once it is known. */
  #count: number | undefined;
  #prefix: string | undefined;
  #read = 0;
  #clock = 0;
  #recent: string[] = new Array(RECENT_STRINGS).fill("");
  #recentIndex = new Int32Array(RECENT_STRINGS).fill(-1);

  private constructor(source: ByteSource, entry: ZipEntry | undefined, meter: ReadMeter | undefined) {
    this.#source = source;
    this.#entry = entry;
    this.#meter = meter;
    if (!entry) this.#count = 0;
  }

  /** Without an entry there are no strings. */
  static async open(
    source: ByteSource,
    entry: ZipEntry | undefined,
    { meter, cursor }: SharedStringsOptions = {},
  ): Promise<SharedStrings> {
    const strings = new SharedStrings(source, entry, meter);
    if (!cursor) {
      // Nearly every sheet needs them, and a part that cannot be read shows before any row is given.
      if (entry) await strings.#loadPage(0);
      return strings;
    }
    strings.#prefix = cursor.prefix;
    strings.#read = cursor.read;
    for (const { first, offset, mark } of cursor.pages) {
      strings.#pages.push({ first, offset, mark: await unpackMark(mark), texts: undefined, used: 0 });
    }
    return strings;
  }

  /** The string of that number; undefined if it must be loaded first. */
  get(index: number): string | undefined {
    const slot = index % RECENT_STRINGS;
    if (this.#recentIndex[slot] === index) return this.#recent[slot];
    const page = this.#pages[this.#pageOf(index)]!;
    if (!page.texts || index >= page.first + page.texts.count) return undefined;
    page.used = ++this.#clock;
    const text = page.texts.get(index - page.first);
    this.#recent[slot] = text;
    this.#recentIndex[slot] = index;
    return text;
  }

  /** Reads the page that the string is on; refused where there is no string of that number. */
  async load(index: number): Promise<void> {
    while (this.#count === undefined || index < this.#count) {
      const at = this.#pageOf(index);
      const { texts, first } = this.#pages[at]!;
      if (texts && index < first + texts.count) return;
      await this.#loadPage(at);
    }
    throw new LongshoreError(
      "unreadable_file",
      `Cannot read the sheet: a cell refers to shared text ${index}, found ${this.#count} of them, counted from 0`,
    );
  }

  async cursor(): Promise<StringsCursor> {
    const marked = this.#pages.filter((page) => page.mark);
    const step = Math.ceil(marked.length / MAX_CURSOR_PAGES);
    // The last one is where reading goes on, and the others are spread from there.
    const kept = marked.filter((_, i) => (marked.length - 1 - i) % step === 0);
    const pages = await Promise.all(
      kept.map(async ({ first, offset, mark }) => ({ first, offset, mark: await packMark(mark!) })),
    );
    return { prefix: this.#prefix ?? "", pages, read: this.#read };
  }

  async #loadPage(at: number): Promise<void> {
    const entry = this.#entry!;
    const page = this.#pages[at]!;
    const end = this.#pages[at + 1]?.offset;
    const { texts, next, prefix, bytes } = await readTexts(this.#source, entry, {
      from: page,
      end,
      prefix: this.#prefix,
      pageBytes: entry.size <= ONE_PAGE_BYTES ? Infinity : PAGE_BYTES,
      maxBytes: MAX_BYTES,
      ...(this.#meter ? { meter: this.#meter } : {}),
    });
    this.#prefix = prefix;
    page.texts = texts;
    page.used = ++this.#clock;
    const behind = page.first + texts.count;
    if (next) {
      this.#pages.splice(at + 1, 0, { first: behind, ...next, texts: undefined, used: 0 });
    } else if (end === undefined) this.#count = behind;
    this.#read += bytes;
    if (this.#read > MAX_READS * entry.size + FREE_READ_BYTES) throw tooScattered();
    this.#makeRoom(page);
  }

  #makeRoom(keep: Page): void {
    const loaded = this.#pages.filter((page) => page.texts && page !== keep).sort((a, b) => a.used - b.used);
    let bytes = loaded.reduce((sum, page) => sum + page.texts!.bytes, keep.texts!.bytes);
    for (const page of loaded) {
      if (bytes <= MAX_BYTES) return;
      bytes -= page.texts!.bytes;
      page.texts = undefined;
    }
  }

  /** By halving: the last page whose first string is not behind `index`. */
  #pageOf(index: number): number {
    const pages = this.#pages;
    let low = 0;
    let high = pages.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (pages[middle]!.first <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function tooScattered(): LongshoreError {
  return new LongshoreError(
    "file_too_large",
    "Cannot read the workbook: its texts take more memory than there is, and its rows use them in no order: " +
      "split it or save it as CSV",
  );
}
