/** What a figure depends on beside the code: processor, cores, memory, system, Deno, and how busy all that was before. */

export async function describeMachine(): Promise<string[]> {
  const gibibytes = (Deno.systemMemoryInfo().total / 2 ** 30).toFixed(0);
  const load = Deno.loadavg().map((average) => average.toFixed(2)).join(" ");
  return [
    `${
      new Date().toISOString().slice(0, 10)
    } · ${await processor()} · ${navigator.hardwareConcurrency} cores · ${gibibytes} GiB`,
    `${Deno.build.os} ${Deno.osRelease()} · Deno ${Deno.version.deno} · load before: ${load} (1, 5, 15 minutes)`,
  ];
}

async function processor(): Promise<string> {
  const facts = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return /model name\s*:\s*(.*)/.exec(facts)?.[1] ?? `unknown processor (${Deno.build.arch})`;
}
