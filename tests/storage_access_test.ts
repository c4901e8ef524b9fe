import { assertEquals } from "@std/assert";
import { service, signUp } from "./helpers/people.ts";
import { testStack } from "./helpers/stack.ts";

Deno.test("imports: a member uploads, replaces, reads and removes a file, a colleague does not see it", async () => {
  const stack = await testStack();
  const [owner, member, colleague] = [
    await signUp(stack, "owner"),
    await signUp(stack, "member"),
    await signUp(stack, "colleague"),
  ];
  const { data: organization } = await owner.client.rpc("create_organization", { p_name: "Files" })
    .throwOnError();
  for (const person of [member, colleague]) {
    await owner.client.rpc("add_member", {
      p_org_id: organization.id,
      p_email: person.email,
      p_role: "member",
    })
      .throwOnError();
  }
  const path = `${organization.id}/components.csv`;
  const files = member.client.storage.from("imports");

  assertEquals((await files.upload(path, "tag,type\n")).error, null);
  const again = await files.upload(path, "tag,type\nSP-1,spool\n", { contentType: "text/csv", upsert: true });
  assertEquals(again.error, null);
  assertEquals(await (await files.download(path)).data?.text(), "tag,type\nSP-1,spool\n");
  assertEquals((await colleague.client.storage.from("imports").list(organization.id)).data, []);
  assertEquals((await colleague.client.storage.from("imports").remove([path])).data, []);
  assertEquals((await owner.client.storage.from("imports").list(organization.id)).data?.length, 1);
  const refused = await files.upload(`${crypto.randomUUID()}/components.csv`, "tag\n");
  assertEquals(refused.error?.message, "new row violates row-level security policy");
  assertEquals((await files.remove([path])).data?.length, 1);
});

Deno.test("drawings: a type or an ending that is no drawing is refused, the service included for the type", async () => {
  const stack = await testStack();
  const owner = await signUp(stack, "owner");
  const { data: organization } = await owner.client.rpc("create_organization", { p_name: "Files" })
    .throwOnError();
  const { data: project } = await owner.client.schema("pipetrak").from("projects")
    .insert({ org_id: organization.id, name: "Plant" }).select("id").single().throwOnError();
  const folder = `${organization.id}/${project.id}`;
  const upload = (name: string, contentType: string, client = owner.client) =>
    client.storage.from("drawings").upload(`${folder}/${name}`, "%PDF-1.7", { contentType });

  assertEquals((await upload("D-1.pdf", "application/pdf")).error, null);
  assertEquals((await upload("D-1.dwg", "application/octet-stream")).error, null);
  assertEquals(
    (await upload("D-1.html", "application/pdf")).error?.message,
    "new row violates row-level security policy",
  );
  assertEquals((await upload("D-2.pdf", "text/html")).error?.message, "mime type text/html is not supported");
  const byService = await upload("D-2.pdf", "text/html", service(stack));
  assertEquals(byService.error?.message, "mime type text/html is not supported");
});
