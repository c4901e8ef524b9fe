/** Somebody with an organization, a PipeTrak project and a drawing in it, made through the API. */
import type { SupabaseClient } from "@supabase/supabase-js";
import { type Person, signUp } from "../../helpers/people.ts";
import type { TestStack } from "../../helpers/stack.ts";

export interface ProjectOwner extends Person {
  orgId: string;
  projectId: string;
}

/** The register has the drawing "ISO-1". */
export async function makeProjectOwner(stack: TestStack): Promise<ProjectOwner> {
  const person = await signUp(stack, "importer");
  const org = await person.client.rpc("create_organization", { p_name: "Importers" });
  if (org.error) throw org.error;
  const project = await pipetrak(person.client).from("projects")
    .insert({ org_id: org.data.id, name: "Imports" }).select("id").single();
  if (project.error) throw project.error;
  const drawing = await pipetrak(person.client).from("drawings")
    .insert({ project_id: project.data.id, number: "ISO-1" });
  if (drawing.error) throw drawing.error;
  return { ...person, orgId: org.data.id, projectId: project.data.id };
}

export function pipetrak(client: SupabaseClient) {
  return client.schema("pipetrak");
}
