/** A stream of bytes without its first ones, which are not looked at. */
export async function* withoutFirst(
  chunks: AsyncGenerator<Uint8Array, void, void>,
  count: number,
): AsyncGenerator<Uint8Array, void, void> {
  let left = count;
  for await (const chunk of chunks) {
    if (left < chunk.byteLength) yield left > 0 ? chunk.subarray(left) : chunk;
    left = Math.max(0, left - chunk.byteLength);
  }
}
