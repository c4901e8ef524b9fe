/**
 * How soon a person sees something: from the POST to `running`, as the database has it and as the client hears it on the
 * organization's channel; and how long a change of state is under way to the client.
 */
import { join } from "@std/path";
import type { Bench, BenchOptions, Table } from "../bench.ts";
import type { Job } from "../../shared/jobs/job.ts";
import { Timings } from "../timings.ts";
import { makeFile } from "./make_file.ts";
import { openSite, type Site } from "./open_site.ts";

export const jobLatency: Bench = {
  name: "latency",
  title: "From the POST to what the client hears",
  run,
};

const JOBS_A_ROUND = 10;
const ROWS = 100;

const STARTED = "created_at to started_at";
const HEARD = 'POST to the event "running"';
const UNDER_WAY = "change of state to its event";
const LIMITS_MS: Record<string, number> = { [STARTED]: 300, [HEARD]: 300, [UNDER_WAY]: 200 };

type Message = Pick<Job, "id" | "state" | "updated_at">;

async function run({ rounds }: BenchOptions): Promise<Table> {
  const site = await openSite();
  try {
    const file = join(site.dir, "small.csv");
    await makeFile(file, { rows: ROWS });
    const path = await site.upload(file);
    const timings = new Timings();
    const heard = await listen(site);
    for (let job = 0; job < rounds * JOBS_A_ROUND; job++) await follow(site, { timings, heard, path });

    return {
      title: `${latencyTitle(rounds)}`,
      headings: ["what", "median ms", "95 % ms", "most ms", "target ms", ""],
      rows: [STARTED, HEARD, UNDER_WAY].map((step) => {
        const [median, most] = [timings.quantile(step), LIMITS_MS[step]!];
        return [
          step,
          median.toFixed(0),
          timings.quantile(step, 0.95).toFixed(0),
          Math.max(...timings.all(step)).toFixed(0),
          `< ${most}`,
          median < most ? "reached" : "MISSED",
        ];
      }),
      notes: [
        "Warm functions. A change of state is counted from updated_at, which is a little before its commit; one clock for both ends.",
      ],
    };
  } finally {
    await site.close();
  }
}

function latencyTitle(rounds: number): string {
  return `${jobLatency.title}: ${rounds * JOBS_A_ROUND} checks of ${ROWS} rows, one after the other`;
}

interface Heard {
  message: Message;
  /** Milliseconds since 1970. */
  at: number;
}

/** Everything that the organization's channel has brought so far, from the moment it is joined. */
async function listen({ person, token, orgId }: Site): Promise<Heard[]> {
  const heard: Heard[] = [];
  await person.realtime.setAuth(token);
  const channel = person.channel(`org:${orgId}:jobs`, { config: { private: true } });
  channel.on("broadcast", { event: "progress" }, ({ payload }) => {
    heard.push({ message: payload as Message, at: performance.timeOrigin + performance.now() });
  });
  await new Promise<void>((resolve, reject) =>
    channel.subscribe((status, error) => {
      if (status === "SUBSCRIBED") resolve();
      else if (status !== "CLOSED") reject(new Error(`Cannot join the channel: ${status}`, { cause: error }));
    })
  );
  return heard;
}

async function follow(
  site: Site,
  { timings, heard, path }: { timings: Timings; heard: Heard[]; path: string },
): Promise<void> {
  heard.length = 0;
  const posted = performance.timeOrigin + performance.now();
  const { id } = await site.runJob("import", {
    dataset: "bench.rows",
    scope: { project_id: site.projectId },
    file: { bucket: "imports", path },
  });
  const of = (state: Job["state"]) =>
    heard.find(({ message }) => message.id === id && message.state === state);
  while (!of("succeeded")) await new Promise((resolve) => setTimeout(resolve, 5));

  const [job] = await site.admin<{ waited_ms: number }[]>`
    select extract(epoch from started_at - created_at)::float * 1000 as waited_ms from jobs.jobs where id = ${id}`;
  timings.add(STARTED, job!.waited_ms);
  timings.add(HEARD, of("running")!.at - posted);
  for (const state of ["running", "succeeded"] as const) {
    const { message, at } = of(state)!;
    timings.add(UNDER_WAY, at - microsecondsOf(message.updated_at));
  }
}

/** Milliseconds since 1970 with their fraction, which `Date` cuts off. */
function microsecondsOf(time: string): number {
  const fraction = /\.\d{3}(\d+)/.exec(time)?.[1] ?? "0";
  return Date.parse(time) + Number(`0.${fraction}`);
}
