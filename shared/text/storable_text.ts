/**
 * A text as the database can keep it. NUL and half of a surrogate pair, which workbooks may hold, become "\ufffd":
 * neither Postgres' text nor its jsonb takes them.
 */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}
