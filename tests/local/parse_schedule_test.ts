import { assertEquals, assertThrows } from "@std/assert";
import { parseSchedule } from "../../local/pg_cron/parse_schedule.ts";

const DUE: [schedule: string, time: string, due: boolean][] = [
  ["* * * * *", "2026-03-04T05:06", true],
  ["6 5 * * *", "2026-03-04T05:06", true],
  ["7 5 * * *", "2026-03-04T05:06", false],
  ["*/2 * * * *", "2026-03-04T05:06", true],
  ["1-59/2 * * * *", "2026-03-04T05:06", false],
  ["0,6 3-5 4 mar wed", "2026-03-04T05:06", true],
  ["6 5 * feb *", "2026-03-04T05:06", false],
  // Both days restricted: either is enough.
  ["6 5 1 * wed", "2026-03-04T05:06", true],
  ["6 5 4 * mon", "2026-03-04T05:06", true],
  ["6 5 1 * mon", "2026-03-04T05:06", false],
  ["0 0 * * 7", "2026-03-01T00:00", true],
  ["0 0 $ * *", "2026-02-28T00:00", true],
  ["0 0 $ * *", "2026-02-27T00:00", false],
  ["0 0 1,$ * *", "2026-02-01T00:00", true],
  ["@hourly", "2026-03-04T05:00", true],
  ["@daily", "2026-03-04T05:00", false],
];

Deno.test("parseSchedule() knows the minutes in which a job is due", () => {
  for (const [text, time, due] of DUE) {
    const schedule = parseSchedule(text);
    assertEquals("isDue" in schedule && schedule.isDue(new Date(`${time}:30Z`)), due, `"${text}" at ${time}`);
  }
});

Deno.test("parseSchedule() reads an interval", () => {
  assertEquals(parseSchedule("1 second"), { everySeconds: 1 });
  assertEquals(parseSchedule(" 59 Seconds "), { everySeconds: 59 });
});

Deno.test("parseSchedule() refuses what is no schedule", () => {
  for (
    const text of ["", "60 seconds", "* * * *", "61 * * * *", "5-1 * * * *", "*/0 * * * *", "* * * * * *"]
  ) {
    assertThrows(() => parseSchedule(text), SyntaxError, "Cannot read the schedule", text);
  }
});
