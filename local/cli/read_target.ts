/**
 * Which stack a command works on. In: the flags as they were given, and the environment. Out: the target; a `UsageError`
 * where they do not go together. It asks no server.
 */
import { UsageError } from "./usage_error.ts";

/** The stack of a data folder, started if need be, or one elsewhere. */
export type Target =
  | { kind: "local"; dataDir: string | null }
  | {
    kind: "remote";
    url: string;
    key: string;
    login: { email: string; password: string } | { token: string };
  };

export const TARGET_FLAGS = ["data", "url", "key", "email", "password", "token"] as const;

export const TARGET_USAGE = `Where to
  --data DIR             the local stack's folder              (.local)
  --url URL --key KEY    another stack, with --email and --password, or --token
                         (LONGSHORE_PASSWORD and LONGSHORE_TOKEN in the environment serve as well)`;

export function readTarget(
  given: Partial<Record<typeof TARGET_FLAGS[number], string>>,
  environment: Record<string, string>,
): Target {
  const { url, key, email, data } = given;
  if (url === undefined) {
    const stray = (["key", "email", "password", "token"] as const).find((name) => given[name] !== undefined);
    if (stray) throw new UsageError(`Cannot use --${stray}: expected --url with it`);
    return { kind: "local", dataDir: data ?? null };
  }
  if (data !== undefined) throw new UsageError("Cannot use --data with --url: expected one of them");
  if (!/^https?:\/\/./i.test(url) || !URL.canParse(url)) {
    throw new UsageError(
      `Cannot use --url: found "${url}", expected an address that starts with http:// or https://`,
    );
  }
  if (key === undefined) {
    throw new UsageError("Cannot use --url: expected --key, the publishable key, with it");
  }
  const token = given.token ?? (email === undefined ? environment.LONGSHORE_TOKEN : undefined);
  if (token !== undefined) return { kind: "remote", url, key, login: { token } };
  const password = given.password ?? environment.LONGSHORE_PASSWORD;
  if (email === undefined || password === undefined) {
    throw new UsageError("Cannot use --url: expected --email and --password with it, or --token");
  }
  return { kind: "remote", url, key, login: { email, password } };
}
