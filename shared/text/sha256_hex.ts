/** The SHA-256 of bytes, or of a text in UTF-8, as 64 hexadecimal digits. */
export async function sha256Hex(content: BufferSource | string): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
