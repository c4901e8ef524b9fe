/**
 * What a query answers, as CSV bytes out of COPY, while a reader takes them. In: a transaction, the query, the reader.
 * Out: what the reader answers. Each piece that it gets ends with a row. Whatever becomes of the reader, the session is
 * free again afterwards.
 */
import type { Readable } from "node:stream";
import type { Transaction } from "./connect.ts";

/** COPY sends a message a row; handed on one by one, they would cost more than making them. */
const PIECE_BYTES = 256 * 1024;

export async function copyOut<T>(
  transaction: Transaction,
  query: string,
  read: (bytes: ReadableStream<Uint8Array>) => Promise<T>,
): Promise<T> {
  const readable = await transaction.unsafe(`copy (${query}) to stdout with (format csv)`).readable();
  const closed = new Promise<void>((resolve) => readable.once("close", () => resolve(keepReading(readable))));
  let wanted = true;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  const takePiece = () => {
    const piece = concat(gathered, gatheredBytes);
    gathered = [];
    gatheredBytes = 0;
    return piece;
  };
  const bytes = new ReadableStream<Uint8Array>({
    start(controller) {
      readable.on("data", (chunk: Uint8Array) => {
        if (!wanted) return;
        gathered.push(chunk);
        gatheredBytes += chunk.length;
        if (gatheredBytes < PIECE_BYTES) return;
        controller.enqueue(takePiece());
        if ((controller.desiredSize ?? 0) <= 0) readable.pause();
      });
      readable.once("end", () => {
        if (!wanted) return;
        if (gatheredBytes > 0) controller.enqueue(takePiece());
        controller.close();
      });
      readable.on("error", (error) => wanted && controller.error(error));
      readable.pause();
    },
    pull: () => void readable.resume(),
    cancel() {
      wanted = false;
    },
  });
  try {
    return await read(bytes);
  } finally {
    // Bytes that nobody reads would stand before every later answer of this session.
    wanted = false;
    readable.resume();
    await closed;
  }
}

function concat(pieces: Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

/**
 * postgres.js stops reading its socket while the stream is full, and goes on when more is asked of the stream; of one
 * that has ended nobody asks, and the session would be deaf.
 */
function keepReading(readable: Readable): void {
  try {
    readable._read(0);
  } catch {
    // The connection is closed.
  }
}
