/** Stands in for clock.lua: the time is what the test wrote into the account's `clock`, ms. */
export const CLOCK = "local function now() return tonumber(redis.call('GET', KEYS[1]:sub(1, -7) .. 'clock')) end";

/** When tests begin: at a month's end, where months and days do not commute. */
export const START = Date.UTC(2026, 0, 31, 12);
