/** Reading .xls, .xlsb and .ods workbooks up to a size. */
export { type LegacyKind, legacyKind } from "./legacy_kind.ts";
export { type LegacyCursor, openLegacy, type OpenLegacyOptions } from "./open_legacy.ts";
