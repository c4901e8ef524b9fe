/**
 * The errors of the Storage server, with its own codes and words, because clients branch on them. In: what went
 * wrong, or what Postgres said. Out: the body and the HTTP status, which is 400 for nearly all of them.
 */
import postgres from "postgres";

export interface StorageErrorOptions {
  /** The status that the body carries. */
  status: number;
  /** The short name that the body carries. @default the code */
  error?: string;
  /** The status of the HTTP answer. @default 500 for 500, else 400 */
  httpStatus?: number;
  cause?: unknown;
}

export class StorageError extends Error {
  readonly code: string;
  readonly status: number;
  readonly error: string;
  readonly httpStatus: number;

  constructor(code: string, message: string, options: StorageErrorOptions) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.error = options.error ?? code;
    this.httpStatus = options.httpStatus ?? (options.status === 500 ? 500 : 400);
  }

  toResponse(): Response {
    const body = {
      statusCode: String(this.status),
      error: this.error,
      message: this.message,
      code: this.code,
    };
    return Response.json(body, { status: this.httpStatus });
  }
}

export const refused = {
  noSuchBucket: () =>
    new StorageError("NoSuchBucket", "Bucket not found", { status: 404, error: "Bucket not found" }),
  noSuchKey: () => new StorageError("NoSuchKey", "Object not found", { status: 404, error: "not_found" }),
  noSuchBytes: () =>
    new StorageError("NoSuchKey", "The resource was not found", { status: 404, error: "Not found" }),
  accessDenied: (message: string, cause?: unknown) =>
    new StorageError("AccessDenied", message, { status: 403, error: "Unauthorized", cause }),
  duplicate: (code: "ResourceAlreadyExists" | "KeyAlreadyExists" | "BucketAlreadyExists") =>
    new StorageError(code, "The resource already exists", { status: 409, error: "Duplicate" }),
  invalidKey: (key: string) => new StorageError("InvalidKey", `Invalid key: ${key}`, { status: 400 }),
  keyTooLong: () =>
    new StorageError("S3Error", "Your key is too long", { status: 400, error: "KeyTooLongError" }),
  invalidBucketName: () =>
    new StorageError("InvalidBucketName", "Bucket name invalid", { status: 400, error: "Invalid Input" }),
  bucketNotEmpty: () =>
    new StorageError("ResourceNotEmpty", "The bucket you tried to delete is not empty", { status: 409 }),
  tooLarge: () =>
    new StorageError("EntityTooLarge", "The object exceeded the maximum allowed size", {
      status: 413,
      error: "Payload too large",
    }),
  mimeType: (type: string) =>
    new StorageError("InvalidMimeType", `mime type ${type} is not supported`, {
      status: 415,
      error: "invalid_mime_type",
    }),
  aborted: (cause?: unknown) =>
    new StorageError("Aborted", "Request aborted", { status: 499, httpStatus: 499, cause }),
  range: () =>
    new StorageError("InvalidRange", "invalid range provided", {
      status: 416,
      httpStatus: 416,
      error: "invalid_range",
    }),
  invalidRequest: (message: string, cause?: unknown) =>
    new StorageError("InvalidRequest", message, { status: 400, cause }),
  invalidParameter: (name: string) =>
    new StorageError("InvalidParameter", `Invalid Parameter ${name}`, { status: 400 }),
  invalidToken: (message: string) => new StorageError("InvalidJWT", message, { status: 400 }),
  invalidSignature: (message = "Invalid signature") =>
    new StorageError("InvalidSignature", message, { status: 400 }),
} as const;

/** What the server makes of any error; a `StorageError` stays what it is. */
export function toStorageError(thrown: unknown): StorageError {
  if (thrown instanceof StorageError) return thrown;
  if (thrown instanceof postgres.PostgresError) return fromPostgres(thrown);
  return new StorageError("InternalError", "Internal Server Error", {
    status: 500,
    error: "Internal",
    cause: thrown,
  });
}

function fromPostgres(error: postgres.PostgresError): StorageError {
  const cause = error;
  switch (error.code) {
    case "42501":
      return refused.accessDenied(
        error.message.includes("row-level security")
          ? "new row violates row-level security policy"
          : error.message,
        error,
      );
    case "23505":
      return refused.duplicate("ResourceAlreadyExists");
    case "23503":
      return error.detail?.includes("is still referenced from table")
        ? new StorageError(
          "ResourceReferenced",
          "The resource could not be updated or removed due to a foreign key constraint",
          { status: 409, cause },
        )
        : new StorageError("InvalidRequest", "The related resource does not exist", { status: 404, cause });
    case "55P03":
      return new StorageError("ResourceLocked", "The resource is locked", { status: 423, cause });
    case "57014":
      return new StorageError("DatabaseTimeout", "The connection to the database timed out", {
        status: 544,
        httpStatus: 544,
        cause,
      });
    case "25006":
      return new StorageError(
        "DatabaseReadOnly",
        "The database is currently in read-only mode. Please try again later.",
        { status: 503, cause },
      );
    case "42P17":
      return new StorageError(
        "DatabaseInvalidObjectDefinition",
        "The database schema is invalid or incompatible.",
        { status: 503, cause },
      );
    case "22P02":
      return new StorageError("InvalidParameter", error.message, { status: 400, cause });
    case "42703":
    case "42P01":
      return new StorageError(
        "DatabaseSchemaMismatch",
        `There is a database schema mismatch in a trigger or RLS policy: ${error.where ?? error.message}`,
        { status: 503, cause },
      );
    default:
      return new StorageError("DatabaseError", `database error, code: ${error.code}`, { status: 500, cause });
  }
}
