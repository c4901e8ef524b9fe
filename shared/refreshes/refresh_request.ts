/** What may be asked of `refresh-metrics`. Which views there are is for the database to say. */
import { z } from "zod";

export const RefreshRequest = z.strictObject({
  /** Such as `certus.mv_metrics_daily`. */
  view: z.string().min(1).max(200),
});
