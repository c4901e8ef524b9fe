/**
 * The command line of a process. In: its id. Out: the command, empty where no such process runs. A zombie has ended,
 * though nobody has asked for its status yet.
 */

export async function processCommand(pid: number): Promise<string> {
  // A small Linux need not have `ps`; elsewhere there is no /proc.
  if (Deno.build.os === "linux") return await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
  const args = ["-o", "stat=,command=", "-p", String(pid)];
  const { stdout } = await new Deno.Command("ps", { args, stderr: "null" }).output();
  const line = new TextDecoder().decode(stdout).trim();
  return line.startsWith("Z") ? "" : line;
}
