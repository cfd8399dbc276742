//! Functions of a moment, given as seconds since the epoch, in UTC.

use crate::time::Civil;

/// A function's name and what it reads off a moment.
type Entry = (&'static str, fn(&Civil) -> u32);

pub(super) static CALENDAR: &[Entry] = &[
    ("day_of_month", |civil| civil.day),
    ("day_of_week", Civil::weekday),
    ("day_of_year", Civil::day_of_year),
    ("days_in_month", Civil::days_in_month),
    ("hour", |civil| civil.hour),
    ("minute", |civil| civil.minute),
    ("month", |civil| civil.month),
];
