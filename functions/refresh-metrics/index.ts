/**
 * Refreshing a materialized view on request.
 *   POST {view}                a refresh in the caller's name; with the secret key in the name of the system
 *   POST {job_id}, secret key  a slice of a refresh to go on with
 */
import { handle } from "../../shared/http/handle.ts";
import { outliveStrayErrors } from "../../shared/http/outlive_stray_errors.ts";
import { answerRefresh } from "../../shared/refreshes/answer_refresh.ts";

outliveStrayErrors("refresh-metrics");
Deno.serve(handle("refresh-metrics", answerRefresh, { methods: ["POST"] }));
