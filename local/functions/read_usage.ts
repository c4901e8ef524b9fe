/**
 * What isolates use, as the operating system counts it. In: process ids. Out: CPU time and memory of those that are still
 * there. CPU is user and system time of the main thread, which runs the JavaScript: the same that hosted isolates are
 * billed for, without the threads that compile and collect garbage beside it. Memory is resident and not backed by a file.
 * macOS: the CPU time of all threads and all that is resident, for `ps` tells no more.
 */

export interface Usage {
  cpuMs: number;
  memoryBytes: number;
}

/** Linux reports CPU time in hundredths of a second to every program, whatever the kernel's own clock. */
const TICK_MS = 10;

export async function readUsage(pids: number[]): Promise<Map<number, Usage>> {
  if (pids.length === 0) return new Map();
  return Deno.build.os === "linux" ? fromProc(pids) : await fromPs(pids);
}

function fromProc(pids: number[]): Map<number, Usage> {
  const usages = new Map<number, Usage>();
  for (const pid of pids) {
    try {
      // The name in parentheses may hold spaces; the fields that count come after it.
      const stat = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/stat`);
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const [, anonymousKb] = /^RssAnon:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
      usages.set(pid, {
        cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
        memoryBytes: Number(anonymousKb ?? 0) * 1024,
      });
    } catch {
      // It has ended between two looks.
    }
  }
  return usages;
}

async function fromPs(pids: number[]): Promise<Map<number, Usage>> {
  const args = ["-o", "pid=,time=,rss=", "-p", pids.join(",")];
  const { stdout } = await new Deno.Command("ps", { args, stderr: "null" }).output();
  const usages = new Map<number, Usage>();
  for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
    const [pid, time, rss] = line.trim().split(/\s+/);
    if (!pid || !time || !rss) continue;
    const seconds = time.split(/[:-]/).reduce((sum, part) => sum * 60 + Number(part), 0);
    usages.set(Number(pid), { cpuMs: seconds * 1000, memoryBytes: Number(rss) * 1024 });
  }
  return usages;
}
