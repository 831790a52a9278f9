//! Dates as templates write them: `strftime_now("%d %b %Y")`.

use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const SECONDS_PER_DAY: u64 = 86_400;

/// A moment as its format says, in UTC: `%Y %m %d %e %j %B %b %A %a %H %I %M %S
/// %p %y %F %T %%`. Other letters stay as they are.
pub(super) fn formatted(format: &str, now: SystemTime) -> String {
    // A clock before 1970 is a wrong clock; the text says so by its date.
    let seconds = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let moment = Moment::new(seconds);
    let mut text = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match (letter, letters.clone().next()) {
            ('%', Some(kind)) => {
                letters.next();
                text.push_str(&moment.part(kind));
            }
            _ => text.push(letter),
        }
    }
    text
}

struct Moment {
    year: u64,
    /// From 1.
    month: u64,
    /// From 1.
    day: u64,
    /// From 1.
    day_of_year: u64,
    /// From Sunday.
    weekday: u64,
    second: u64,
}

impl Moment {
    fn new(seconds: u64) -> Self {
        let days = seconds / SECONDS_PER_DAY;
        let (mut year, mut left) = (1970, days);
        // 400 years have the same number of days, so that far dates end soon.
        year += left / 146_097 * 400;
        left %= 146_097;
        while left >= days_of_year(year) {
            left -= days_of_year(year);
            year += 1;
        }
        let day_of_year = left + 1;
        let mut month = 1;
        while left >= days_of_month(year, month) {
            left -= days_of_month(year, month);
            month += 1;
        }
        Self {
            year,
            month,
            day: left + 1,
            day_of_year,
            // The first day of 1970 was a Thursday.
            weekday: (days + 4) % 7,
            second: seconds % SECONDS_PER_DAY,
        }
    }

    fn part(&self, kind: char) -> String {
        let name = |names: &[&'static str], index: u64| {
            let index = usize::try_from(index).unwrap_or_default();
            names.get(index).copied().unwrap_or_default()
        };
        let short = |name: &str| name.chars().take(3).collect();
        let month = name(&MONTHS, self.month - 1);
        let weekday = name(&DAYS, self.weekday);
        let (hour, minute, second) = (self.second / 3600, self.second / 60 % 60, self.second % 60);
        match kind {
            'Y' => self.year.to_string(),
            'y' => format!("{:02}", self.year % 100),
            'm' => format!("{:02}", self.month),
            'd' => format!("{:02}", self.day),
            'e' => format!("{:2}", self.day),
            'j' => format!("{:03}", self.day_of_year),
            'B' => month.to_owned(),
            'b' | 'h' => short(month),
            'A' => weekday.to_owned(),
            'a' => short(weekday),
            'H' => format!("{hour:02}"),
            'I' => format!("{:02}", (hour + 11) % 12 + 1),
            'M' => format!("{minute:02}"),
            'S' => format!("{second:02}"),
            'p' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
            'F' => format!("{}-{:02}-{:02}", self.year, self.month, self.day),
            'T' => format!("{hour:02}:{minute:02}:{second:02}"),
            '%' => "%".to_owned(),
            other => format!("%{other}"),
        }
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u64) -> u64 {
    365 + u64::from(is_leap(year))
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let check = |seconds: u64, format: &str, expected: &str| {
            let now = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(formatted(format, now), expected);
        };
        check(
            0,
            "%A %d %B %Y, %H:%M:%S",
            "Thursday 01 January 1970, 00:00:00",
        );
        check(951_782_400, "%F %a %j", "2000-02-29 Tue 060");
        check(4_107_542_399, "%F %T %p", "2100-02-28 23:59:59 PM");
        check(4_107_542_400, "%F %I %e", "2100-03-01 12  1");
        check(1_735_689_600 - 1, "%d %b %y %j", "31 Dec 24 366");
        check(0, "100%% %q %", "100% %q %");
    }
}
