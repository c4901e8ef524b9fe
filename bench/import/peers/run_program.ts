/** Runs an installed program to its end; throws what it said where it failed. */

export async function runProgram(program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const said = new TextDecoder().decode(stdout).trim();
  if (success) return said;
  throw new Error(`Cannot run "${program}": ${new TextDecoder().decode(stderr).trim() || said}`);
}

/** What `--version` says first, or null where it is not installed. */
export async function versionOf(program: string): Promise<string | null> {
  try {
    return (await runProgram(program, ["--version"])).split("\n")[0]!;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
