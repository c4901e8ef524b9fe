/** The datasets that the caller may import into somewhere; the database says which. */
import type { UserCaller } from "../http/authenticate.ts";
import type { Dataset } from "./dataset.ts";

export async function listOffered(
  client: UserCaller["client"],
  datasets: readonly Dataset[],
): Promise<Dataset[]> {
  const names = new Set(datasets.flatMap(({ offer }) => offer ?? []));
  const answers = await Promise.all(
    Array.from(names, async (offer) => {
      const [schema, name] = offer.split(".");
      const { data, error } = await client.schema(schema!).rpc(name!);
      if (error) throw error;
      return data === true ? [offer] : [];
    }),
  );
  const offered = new Set(answers.flat());
  return datasets.filter(({ offer }) => offer === undefined || offered.has(offer));
}
