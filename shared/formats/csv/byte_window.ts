/**
 * The part of a file that is in memory: bytes come in at its end from one sequential stream and are dropped
 * at its start. It reads no more than asked for, but for what is left of the stream's last chunk.
 */
import type { ByteSource } from "../reader.ts";

export class ByteWindow {
  /** Where the window starts in the file. */
  offset: number;

  readonly #size: number;
  readonly #chunks: ReadableStreamDefaultReader<Uint8Array>;
  #buffer = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #ended = false;

  private constructor(
    chunks: ReadableStreamDefaultReader<Uint8Array>,
    place: { offset: number; size: number },
  ) {
    this.#chunks = chunks;
    this.offset = place.offset;
    this.#size = place.size;
  }

  static async open(source: ByteSource, offset: number): Promise<ByteWindow> {
    const stream = await source.stream(offset);
    return new ByteWindow(stream.getReader(), { offset, size: source.size });
  }

  /** The bytes in the window; valid until the next `fill()`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Whether the window reaches to the end of the file. */
  get final(): boolean {
    return this.#ended;
  }

  /** Reads on until the window has at least `length` bytes or the file ends. */
  async fill(length: number): Promise<void> {
    while (!this.#ended && this.#end - this.#start < length) {
      const { done, value } = await this.#chunks.read();
      if (done) this.#finish();
      else this.#append(value, length);
    }
  }

  /** Drops `count` bytes at the start. */
  drop(count: number): void {
    this.#start += count;
    this.offset += count;
  }

  /** Ends the transfer, however far it has come. */
  async close(): Promise<void> {
    await this.#chunks.cancel();
  }

  #append(chunk: Uint8Array, length: number): void {
    const kept = this.#end - this.#start;
    if (this.#end + chunk.length > this.#buffer.length) {
      const needed = Math.max(kept + chunk.length, length);
      const buffer = needed > this.#buffer.length ? new Uint8Array(needed + chunk.length) : this.#buffer;
      buffer.set(this.bytes);
      this.#buffer = buffer;
      this.#start = 0;
      this.#end = kept;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** A transfer that was cut off must not pass for a shorter file. */
  #finish(): void {
    const reached = this.offset + this.#end - this.#start;
    if (reached !== this.#size) {
      throw new Error(`Cannot read the file to its end: found ${reached} bytes, expected ${this.#size}`);
    }
    this.#ended = true;
  }
}
