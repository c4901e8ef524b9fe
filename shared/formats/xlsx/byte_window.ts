/**
 * A sliding view of a stream of bytes for parsers that need a whole unit (a row, a string) in one piece: what was
 * not used yet stays in front, new chunks come behind. A unit larger than the limit is refused.
 */

import { LongshoreError } from "../../errors.ts";

/** Below this much fresh data it is not worth starting the parser. */
const LEAST_FILL_BYTES = 256 * 1024;
/** The longest row that is read takes less, and what is in memory at once is a few times that. */
const MAX_UNIT_BYTES = 16 * 1024 * 1024;

export class ByteWindow {
  /** Valid from `start` to `end`; replaced or moved by `fill()`. */
  bytes: Uint8Array = new Uint8Array(4 * LEAST_FILL_BYTES);
  start = 0;
  end = 0;
  readonly #chunks: AsyncGenerator<Uint8Array, void, void>;

  constructor(chunks: AsyncGenerator<Uint8Array, void, void>) {
    this.#chunks = chunks;
  }

  /**
   * Adds at least as much as is there already, so that a unit that is parsed again whenever more of it has come
   * costs a constant factor and no more. False at the end of the stream.
   */
  async fill(): Promise<boolean> {
    const kept = this.end - this.start;
    if (kept > MAX_UNIT_BYTES) {
      throw new LongshoreError(
        "unsafe_file",
        `Cannot read the workbook: found a row or text of more than ${MAX_UNIT_BYTES} bytes`,
      );
    }
    this.bytes.copyWithin(0, this.start, this.end);
    this.start = 0;
    this.end = kept;
    const enough = kept + Math.max(LEAST_FILL_BYTES, kept);
    while (this.end < enough) {
      const { done, value } = await this.#chunks.next();
      if (done) break;
      this.#append(value);
    }
    return this.end > kept;
  }

  /** Takes the rest of the stream and keeps none of it, so that its source can verify it to the end. */
  async drain(): Promise<void> {
    while (!(await this.#chunks.next()).done);
  }

  /** Ends the stream before its end. */
  async close(): Promise<void> {
    await this.#chunks.return();
  }

  #append(chunk: Uint8Array): void {
    const end = this.end + chunk.byteLength;
    if (end > this.bytes.byteLength) {
      const larger = new Uint8Array(Math.max(end, 2 * this.bytes.byteLength));
      larger.set(this.bytes.subarray(0, this.end));
      this.bytes = larger;
    }
    this.bytes.set(chunk, this.end);
    this.end = end;
  }
}
