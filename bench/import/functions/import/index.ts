/** The function `import` with the datasets of the bench beside the product's. */
import { datasets } from "../../../../shared/domains/datasets.ts";
import { handle } from "../../../../shared/http/handle.ts";
import { answerImport } from "../../../../shared/imports/answer_import.ts";
import { benchRows, referringRows, triggeredRows } from "../../dataset.ts";

Deno.serve(handle("import", answerImport([...datasets, benchRows, referringRows, triggeredRows])));
