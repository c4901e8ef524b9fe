/**
 * A month of a restaurant business as its phone provider would export it, the same for the same seed and day. In: the last
 * day. Out: CSV files of calls, orders and reservations. Every order and reservation names its call.
 */
import { type Random, seededRandom } from "./seeded_random.ts";

export const LOCATIONS = [
  { code: "QUAY", name: "Harbour Bistro, Quayside", busy: 96 },
  { code: "MILL", name: "Harbour Bistro, Old Mill", busy: 70 },
  { code: "PIER", name: "Harbour Bistro, Pier 4", busy: 48 },
] as const;

export interface Month {
  calls: string;
  orders: string;
  reservations: string;
}

export interface MakeMonthOptions {
  /** Such as `2026-03-31`. */
  lastDay: string;
  /** @default 30 */
  days?: number;
  /** @default 11 */
  seed?: number;
}

const CALL_HEADINGS =
  "Call ID,Restaurant,Started at,Duration,Outcome,Intent,Caller phone,Caller name,Summary";
const ORDER_HEADINGS =
  "Order ID,Restaurant,Call ID,Ordered at,Status,Order type,Customer,Customer phone,Subtotal,Tax,Delivery fee,Total";
const RESERVATION_HEADINGS = "Booking,Restaurant,Call ID,Booked at,Date,Party size,Status,Guest,Guest phone";

const NAMES = [
  "Ada Price",
  "Bo Lindqvist",
  "Chidi Okafor",
  "Dana Levi",
  "Émile Roux",
  "Fatma Öz",
  "Gus Meyer",
];
const DISHES = ["fish pie", "mussels", "two pizzas", "Sunday roast", "crab linguine"];
const QUESTIONS = ["opening hours", "parking", "a lost scarf", "allergens", "a gift card"];
const DAY_MS = 86_400_000;

export function makeMonth({ lastDay, days = 30, seed = 11 }: MakeMonthOptions): Month {
  const random = seededRandom(seed);
  const lines = { calls: [CALL_HEADINGS], orders: [ORDER_HEADINGS], reservations: [RESERVATION_HEADINGS] };
  for (let day = days - 1; day >= 0; day--) {
    const midnight = Date.parse(`${lastDay}T00:00:00Z`) - day * DAY_MS;
    const weekend = [0, 5, 6].includes(new Date(midnight).getUTCDay());
    for (const { code, busy } of LOCATIONS) {
      const count = Math.round(busy * (weekend ? 1.4 : 0.85) * (0.9 + random.below(20) / 100));
      for (let n = 1; n <= count; n++) {
        const id = `${code}-${dayOf(midnight).replaceAll("-", "")}-${String(n).padStart(3, "0")}`;
        addCall(lines, { random, id, code, midnight });
      }
    }
  }
  return {
    calls: textOf(lines.calls),
    orders: textOf(lines.orders),
    reservations: textOf(lines.reservations),
  };
}

interface Place {
  random: Random;
  id: string;
  code: string;
  midnight: number;
}

function addCall(lines: Record<keyof Month, string[]>, { random, id, code, midnight }: Place): void {
  const share = random.below(100);
  const intent = share < 38 ? "order" : share < 54 ? "booking" : share < 57 ? "catering" : "question";
  const answered = random.below(100) >= 6;
  const startedAt = midnight + (11 * 3600 + random.below(11 * 3600)) * 1000;
  const seconds = answered ? 40 + random.below(260) : 8 + random.below(20);
  const name = random.pick(NAMES);
  // Numbers of the range that is kept for fiction.
  const phone = `+44 20 7946 0${String(random.below(1000)).padStart(3, "0")}`;
  const summary = intent === "order"
    ? `Wants ${random.pick(DISHES)}`
    : intent === "question"
    ? `Asks about ${random.pick(QUESTIONS)}`
    : "";
  const outcome = answered ? random.below(100) < 7 ? "transferred" : "completed" : "no-answer";
  lines.calls.push(
    [id, code, timeOf(startedAt), seconds, outcome, intent, phone, name, summary].join(","),
  );
  if (!answered) return;
  const endedAt = timeOf(startedAt + seconds * 1000);
  if (intent === "order" && random.below(100) < 86) {
    const delivered = random.below(100) < 45;
    const subtotal = 1400 + random.below(5200);
    const tax = Math.round(subtotal / 5);
    const fee = delivered ? 350 : 0;
    const status = random.below(100) < 4 ? "cancelled" : delivered ? "delivered" : "collected";
    lines.orders.push(
      [
        `O-${id}`,
        code,
        id,
        endedAt,
        status,
        delivered ? "delivery" : "collection",
        name,
        phone,
        ...[subtotal, tax, fee, subtotal + tax + fee].map((pence) => (pence / 100).toFixed(2)),
      ].join(","),
    );
  }
  if (intent === "booking" && random.below(100) < 90) {
    const at = midnight + (1 + random.below(14)) * DAY_MS + (18 * 2 + random.below(7)) * 1_800_000;
    const status = random.below(100) < 8 ? "cancelled" : "confirmed";
    lines.reservations.push(
      [`R-${id}`, code, id, endedAt, timeOf(at), 2 + random.below(6), status, name, phone].join(","),
    );
  }
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}

function textOf(lines: string[]): string {
  return `${lines.join("\n")}\n`;
}
