/**
 * The bytes of a request's body, within a limit, whether its length is announced or not. Out: null where they are more.
 * Those are still read for a while and dropped: an answer before their end would look like a broken connection to whoever is
 * still sending.
 */
export interface ReadBytesOptions {
  /** Bytes that are wanted. */
  atMost: number;
}

/** How many times the limit is read before the connection is left to break. */
const PATIENCE = 8;

export async function readBytes(
  request: Request,
  { atMost }: ReadBytesOptions,
): Promise<Uint8Array | null> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  let fits = Number(request.headers.get("content-length") ?? 0) <= atMost;
  for await (const piece of request.body ?? []) {
    length += piece.length;
    fits &&= length <= atMost;
    if (fits) pieces.push(piece);
    else pieces = [];
    if (length > PATIENCE * atMost) break;
  }
  if (!fits) return null;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}
