/**
 * An error as Auth answers it. In: a thrown `AuthError`. Out: the response in the shape that the client's API version
 * asks for: since 2024-01-01 `{code, message}`, before that `{code, error_code, msg}` with the status in `code`.
 */

export class AuthError extends Error {
  constructor(readonly status: number, readonly problem: { code: string; message: string }) {
    super(problem.message);
  }
}

const VERSION_HEADER = "x-supabase-api-version";
const NEW_SHAPE = "2024-01-01";

export function errorResponse(error: AuthError, request: Request): Response {
  const { code, message } = error.problem;
  const asked = request.headers.get(VERSION_HEADER) ?? "";
  if (asked >= NEW_SHAPE) {
    const headers = { [VERSION_HEADER]: NEW_SHAPE };
    return Response.json({ code, message }, { status: error.status, headers });
  }
  return Response.json({ code: error.status, error_code: code, msg: message }, { status: error.status });
}
