/** A text of at most `limit` characters, the last of them an ellipsis where it was longer. Halves no character. */
export function shorten(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit - 1).toWellFormed()}…` : text;
}
