/**
 * One person's project to export from, through the API as an app does it. In: a stack. Out: verbs that fill the project,
 * export from it to the end, and read files back. Everything is made new, so that tests count only what is theirs.
 */
import Papa from "papaparse";
import * as XLSX from "xlsx";
import type { Job } from "../../shared/jobs/mod.ts";
import { type Answer, type Importer, importer, post } from "./imports.ts";
import type { Person } from "./people.ts";
import type { TestStack } from "./stack.ts";

export interface ExportBody {
  /** @default "pipetrak.components" */
  report?: string;
  /** @default "csv" */
  format?: string;
  /** Added to the project. */
  filters?: Record<string, unknown>;
  columns?: string[];
}

export interface ExportedFile {
  bucket: string;
  path: string;
  bytes: number;
  rows: number;
  sha256: string;
}

export interface Exporter extends Importer {
  /** Inserts components of drawing D-1 as superuser, without milestones. */
  fill(rows: readonly Record<string, unknown>[]): Promise<void>;
  /** The same for rows that only differ by a number. */
  fillMany(count: number): Promise<void>;
  start(body?: ExportBody, person?: Person): Promise<Answer>;
  /** Exports to the end and returns the job. */
  export(body?: ExportBody): Promise<Job>;
  /** What Storage has of a finished export. */
  download(job: Job, person?: Person): Promise<Uint8Array<ArrayBuffer>>;
  /** Objects in the job's folder. */
  objects(jobId: string): Promise<string[]>;
}

export async function exporter(stack: TestStack): Promise<Exporter> {
  const it = await importer(stack);
  const { admin, orgId, projectId } = it;
  const start: Exporter["start"] = (body = {}, person = it.person) =>
    post({ stack, person }, "export", { body: bodyOf(projectId, body) });
  return Object.assign(it, {
    start,
    async fill(rows: readonly Record<string, unknown>[]) {
      await admin.begin(async (sql) => {
        await sql`set local session_replication_role = replica`;
        await sql`
          insert into pipetrak.components (project_id, drawing_id, tag, description, component_type, area, size, quantity,
            weight_kg, percent_complete, updated_at)
          select d.project_id, d.id, r.tag, r.description, coalesce(r.type, 'spool'), r.area, r.size, r.quantity,
            r.weight_kg, coalesce(r.percent_complete, 0), coalesce(r.updated_at, now())
          from json_to_recordset(${
          JSON.stringify(rows)
        }::text::json) r (tag text, description text, type text, area text,
            size text, quantity numeric, weight_kg numeric, percent_complete numeric, updated_at timestamptz)
          cross join pipetrak.drawings d where d.project_id = ${projectId} and d.number = 'D-1'`;
      });
    },
    async fillMany(count: number) {
      await admin.begin(async (sql) => {
        await sql`set local session_replication_role = replica`;
        await sql`
          insert into pipetrak.components (project_id, drawing_id, tag, description, component_type, area, quantity)
          select d.project_id, d.id, 'T-' || lpad(n::text, 7, '0'), 'Spool, "no. ' || n || '"', 'spool', 'A-' || n % 7, 1 + n % 9
          from pipetrak.drawings d, generate_series(1, ${count}::integer) n
          where d.project_id = ${projectId} and d.number = 'D-1'`;
        await sql`analyze pipetrak.components`;
      });
    },
    async export(body: ExportBody = {}) {
      const answer = await start(body);
      if (answer.status !== 202) {
        throw new Error(`Cannot export: found ${answer.status} ${JSON.stringify(answer.body)}`);
      }
      return (await it.follow(answer.body.job.id)).job;
    },
    async download(job: Job, person = it.person) {
      const { bucket, path } = fileOf(job);
      const { data, error } = await person.client.storage.from(bucket).download(path);
      if (error) throw error;
      return new Uint8Array(await data.arrayBuffer());
    },
    async objects(jobId: string) {
      const rows = await admin<{ name: string }[]>`
        select name from storage.objects where bucket_id = 'exports' and name like ${`${orgId}/${jobId}/%`}`;
      return rows.map(({ name }) => name);
    },
  });
}

export function bodyOf(projectId: string, { report, format, filters, columns }: ExportBody) {
  return {
    report: report ?? "pipetrak.components",
    format: format ?? "csv",
    filters: { project_id: projectId, ...filters },
    ...(columns ? { columns } : {}),
  };
}

export function fileOf(job: Job): ExportedFile {
  if (job.state !== "succeeded") {
    throw new Error(`Cannot find the file: the job is ${job.state} ${JSON.stringify(job.error)}`);
  }
  return job.result?.file as ExportedFile;
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** All lines of a CSV, headings first. */
export function readCsv(bytes: Uint8Array): string[][] {
  const { data, errors } = Papa.parse<string[]>(new TextDecoder().decode(bytes), {
    delimiter: ",",
    skipEmptyLines: true,
  });
  if (errors.length > 0) throw new Error(`Cannot read the CSV: ${JSON.stringify(errors.slice(0, 3))}`);
  return data;
}

export function readNdjson(bytes: Uint8Array): Record<string, unknown>[] {
  return new TextDecoder().decode(bytes).split("\n").filter((line) => line !== "").map((line) =>
    JSON.parse(line)
  );
}

export function readWorkbook(bytes: Uint8Array): { workbook: XLSX.WorkBook; rows: unknown[][] } {
  const workbook = XLSX.read(bytes, { cellDates: true, UTC: true, cellStyles: true });
  const sheet = workbook.Sheets[workbook.SheetNames[0]!]!;
  return { workbook, rows: XLSX.utils.sheet_to_json(sheet, { header: 1, UTC: true, defval: null }) };
}
