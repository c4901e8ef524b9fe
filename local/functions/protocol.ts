/** What supervisor and isolate say to each other: one JSON object a line. */

export type UnloadReason = "cpu" | "memory" | "wall_clock" | "early_drop" | "termination";

export type SupervisorOrder =
  | { type: "load"; entrypoint: string }
  /** Fires `beforeunload`, once in the life of an isolate. */
  | { type: "beforeunload"; reason: UnloadReason }
  /** No request will come any more: say `idle` once nothing is pending. */
  | { type: "retire" };

export type IsolateReport =
  /** The bare runtime is up; what it weighs now is not the function's. */
  | { type: "hello"; id: string }
  | { type: "ready"; port: number }
  | { type: "failed"; message: string }
  /** Nothing is pending: every request is answered, and nothing goes on in the background. */
  | { type: "resting" }
  /** The same once it is retired. */
  | { type: "idle" };
