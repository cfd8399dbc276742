//! Calendar arithmetic in UTC, on seconds since the epoch.

/// A moment in the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    days: i64,
}

const DAY_SECONDS: i64 = 86_400;

impl Civil {
    pub fn from_unix(seconds: i64) -> Civil {
        let days = seconds.div_euclid(DAY_SECONDS);
        let of_day = seconds.rem_euclid(DAY_SECONDS) as u32;
        let (year, month, day) = date(days);
        Civil { year, month, day, hour: of_day / 3600, minute: of_day / 60 % 60, second: of_day % 60, days }
    }

    /// 0 is Sunday.
    pub fn weekday(&self) -> u32 {
        // The epoch was a Thursday.
        (self.days + 4).rem_euclid(7) as u32
    }

    /// 1 to 366.
    pub fn day_of_year(&self) -> u32 {
        (1..self.month).map(|month| days_in_month(self.year, month)).sum::<u32>() + self.day
    }

    pub fn days_in_month(&self) -> u32 {
        days_in_month(self.year, self.month)
    }

    /// `2006-01-02T15:04:05Z`.
    pub fn rfc3339(&self) -> String {
        let Civil { year, month, day, hour, minute, second, .. } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month, day of a number of days since the epoch. Counts in eras of 400 years that begin on 1 March, so
/// that the leap day is the last of its year.
fn date(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        for (seconds, text, weekday, day_of_year) in [
            (0, "1970-01-01T00:00:00Z", 4, 1),
            (-1, "1969-12-31T23:59:59Z", 3, 365),
            (951_782_400, "2000-02-29T00:00:00Z", 2, 60),
            (1_136_239_445, "2006-01-02T22:04:05Z", 1, 2),
            (4_107_542_400, "2100-03-01T00:00:00Z", 1, 60),
        ] {
            let civil = Civil::from_unix(seconds);
            assert_eq!(civil.rfc3339(), text);
            assert_eq!(civil.weekday(), weekday, "{text}");
            assert_eq!(civil.day_of_year(), day_of_year, "{text}");
        }
        assert_eq!(Civil::from_unix(951_782_400).days_in_month(), 29);
    }
}
