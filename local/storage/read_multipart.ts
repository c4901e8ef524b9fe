/**
 * A multipart/form-data body as a stream. In: the body and its boundary. Out: the text fields that come before the
 * first file, and that file's bytes as they arrive. What follows the file is read and dropped, as the server does
 * (clients send fields first). `Request.formData()` would hold the whole file in memory.
 */

export interface Multipart {
  fields: Map<string, string>;
  /** The media type of the file's part, without parameters. */
  contentType: string;
  file: AsyncIterable<Uint8Array>;
}

/** Bytes of all fields and part headers together. */
const LONGEST_PREAMBLE = 2 * 1024 * 1024;
const CR = 13;

/** Null where the body ends without a file; throws SyntaxError where it is no multipart body. */
export async function readMultipart(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
): Promise<Multipart | null> {
  const source = body[Symbol.asyncIterator]();
  const delimiter = new TextEncoder().encode(`\r\n--${boundary}`);
  // The first boundary has no line break before it; with this one it looks like the others.
  let held: Uint8Array = new Uint8Array([13, 10]);
  const fields = new Map<string, string>();

  async function more(): Promise<void> {
    const next = await source.next();
    if (next.done) throw new SyntaxError("Cannot read the form: the body ends before its last boundary");
    held = concat(held, next.value);
  }

  async function take(mark: Uint8Array): Promise<Uint8Array> {
    for (;;) {
      const at = indexOf(held, mark);
      if (at >= 0) {
        const before = held.subarray(0, at);
        held = held.subarray(at + mark.length);
        return before;
      }
      if (held.length > LONGEST_PREAMBLE) {
        throw new SyntaxError("Cannot read the form: found more than 2 MB before the file");
      }
      await more();
    }
  }

  async function* fileBytes(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = indexOf(held, delimiter);
      if (at >= 0) {
        if (at > 0) yield held.subarray(0, at);
        break;
      }
      // The last bytes may be the start of a boundary.
      const safe = held.length - delimiter.length + 1;
      if (safe > 0) {
        yield held.subarray(0, safe);
        held = held.subarray(safe);
      }
      await more();
    }
    while (!(await source.next()).done);
  }

  // What stands before the first boundary is nobody's; behind a boundary comes a line break, then headers.
  await take(delimiter);
  const blankLine = new Uint8Array([13, 10, 13, 10]);
  for (;;) {
    while (held.length < 2) await more();
    if (held[0] === 45 && held[1] === 45) return null;
    const headers = new TextDecoder().decode(await take(blankLine));
    const name = /^content-disposition:.*?[;\s]name="([^"]*)"/im.exec(headers)?.[1];
    const isFile = /^content-disposition:.*?[;\s]filename\*?=/im.test(headers);
    if (isFile) {
      const type = /^content-type:\s*([^;\r\n]+)/im.exec(headers)?.[1]?.trim();
      return { fields, contentType: type ?? "application/octet-stream", file: fileBytes() };
    }
    fields.set(name ?? "", new TextDecoder().decode(await take(delimiter)));
  }
}

function indexOf(bytes: Uint8Array, mark: Uint8Array): number {
  const last = bytes.length - mark.length;
  for (let at = bytes.indexOf(CR); at >= 0 && at <= last; at = bytes.indexOf(CR, at + 1)) {
    let same = 1;
    while (same < mark.length && bytes[at + same] === mark[same]) same++;
    if (same === mark.length) return at;
  }
  return -1;
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
