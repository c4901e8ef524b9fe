/**
 * The door to the engine: run a slice, or call one of its verbs.
 */
export { connect, type Connection, type Sql, type Transaction } from "./connect.ts";
export { type Json, readSettings } from "./engine.ts";
export type * from "./job.ts";
export type { ProgressReport } from "./measure_progress.ts";
export { runSlice, type RunSliceOptions, type SliceEnd } from "./run_slice.ts";
export type { AsOwnerOptions, Slice, SliceHandler, SliceOutcome } from "./slice.ts";
