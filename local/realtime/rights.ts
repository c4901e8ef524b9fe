/**
 * What one token may do on one topic. Out: answers of the policies on `realtime.messages`, each asked once: a new token
 * needs new rights. On a public topic everything is allowed and nothing is asked.
 */
import postgres from "postgres";
import { authorizeRead, authorizeWrite, type Extension, type Subject } from "./authorize.ts";
import type { Refusal } from "./context.ts";

export interface RightsOptions {
  subject: Subject;
  private: boolean;
}

export class Rights {
  #sql: postgres.Sql;
  #subject: Subject;
  #private: boolean;
  #read: Partial<Record<Extension, boolean>> = {};
  #write: Record<Extension, boolean> | null = null;

  constructor(sql: postgres.Sql, options: RightsOptions) {
    this.#sql = sql;
    this.#subject = options.subject;
    this.#private = options.private;
  }

  /** Asks for presence only where the channel uses it, as hosted. Null, or why nothing may be read. */
  async askRead(options: { presence: boolean }): Promise<Refusal | null> {
    if (!this.#private) return null;
    const extensions: Extension[] = options.presence ? ["broadcast", "presence"] : ["broadcast"];
    try {
      this.#read = await authorizeRead(this.#sql, { subject: this.#subject, extensions });
    } catch (error) {
      return this.#refusalOf(error);
    }
    return this.#read.broadcast || this.#read.presence ? null : unauthorized(this.#subject.topic);
  }

  /** Undefined where nobody has asked yet. */
  mayRead(extension: Extension): boolean | undefined {
    return this.#private ? this.#read[extension] : true;
  }

  async mayWrite(extension: Extension): Promise<boolean> {
    if (!this.#private) return true;
    try {
      this.#write ??= await authorizeWrite(this.#sql, this.#subject);
    } catch (error) {
      this.#refusalOf(error);
    }
    return this.#write?.[extension] === true;
  }

  /** What the client learns of a database error; the rest goes to the log, as a policy that throws is a mistake. */
  #refusalOf(error: unknown): Refusal {
    const { topic } = this.#subject;
    console.error(`Cannot ask the policies on realtime.messages for topic "${topic}":`, error);
    if (!(error instanceof postgres.PostgresError)) {
      const message = "Realtime was unable to connect to the project database";
      return { code: "UnableToConnectToProject", message };
    }
    if (error.code === "23514") {
      const message = "Realtime was unable to find the expected messages partition";
      return { code: "MissingPartition", message };
    }
    return error.code === "57014" ? { code: "QueryCanceled", message: error.message } : unauthorized(topic);
  }
}

export function unauthorized(topic: string): Refusal {
  const message = `You do not have permissions to read from this Channel topic: ${topic}`;
  return { code: "Unauthorized", message };
}
