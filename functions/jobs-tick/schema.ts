/**
 * What comes out of jobs-tick; nothing goes in but the secret key.
 */
import { z } from "zod";

export const TickAnswer = z.strictObject({
  /** Jobs whose function was told to go on. */
  dispatched: z.int(),
  /** Jobs that were running without a sign of life. */
  recovered: z.int(),
  /** Checks whose staged rows were dropped. */
  expired: z.int(),
  /** Jobs that were deleted with their problems. */
  purged: z.int(),
});

export type TickAnswer = z.output<typeof TickAnswer>;
