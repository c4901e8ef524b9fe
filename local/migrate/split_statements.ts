/**
 * Cuts a SQL file into its statements. In: the text. Out: each statement as written, comments included, without the
 * semicolon. It knows where a semicolon does not end a statement (strings, quoted names, dollar quotes, comments,
 * `begin atomic` bodies) and nothing else of SQL.
 */

// One alternative per thing that may hide a semicolon, then the words that open and close an atomic body.
const TOKEN = new RegExp(
  [
    /--[^\n]*/, // comment to the end of the line
    /\/\*(?:[^*]|\*(?!\/))*\*\//, // block comment, not nested
    /[eE]'(?:[^'\\]|\\.|'')*'/, // escape string
    /'(?:[^']|'')*'/, // string
    /"(?:[^"]|"")*"/, // quoted name
    /\$(?<tag>[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[^]*?\$\k<tag>\$/, // dollar quote
    /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/, // word
    /;/,
  ].map((part) => part.source).join("|"),
  "g",
);

export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let depth = 0;
  let words: string[] = [];
  const add = (end: number) => {
    const text = sql.slice(start, end).trim();
    if (words.length > 0) statements.push(text);
    words = [];
  };
  for (const match of sql.matchAll(TOKEN)) {
    const token = match[0].toLowerCase();
    if (token === ";") {
      if (depth > 0) continue;
      add(match.index);
      start = match.index + 1;
    } else if (/^[a-z_\u0080-\uffff]/.test(token) && !token.startsWith("e'")) {
      if (token === "atomic" && words.at(-1) === "begin") depth = 1;
      else if (depth > 0 && token === "case") depth++;
      else if (depth > 0 && token === "end") depth--;
      words.push(token);
    }
  }
  add(sql.length);
  return statements;
}
