use std::time::Duration;

use redwire_protocol::{Error, Pace, Result};

/// How many pushes leave without waiting further, unless the client says otherwise.
const COUNT: usize = 100;

/// Clients ask for a minute and for thousands; both are cut, never refused.
const MAX_WAIT_MS: u64 = 10_000;
const MAX_COUNT: u64 = 10_000;

/// What `BUFFER ms count` asks for; `BUFFER`, `BUFFER 0` and `BUFFER ms 0` end it.
pub(crate) fn pace(words: &[String]) -> Result<Pace> {
    let (ms, count) = match words {
        [] => return Ok(Pace::AtOnce),
        [ms] => (number("ms", ms)?, COUNT as u64),
        [ms, count] => (number("ms", ms)?, number("count", count)?),
        _ => {
            let count = words.len();
            return Err(Error::refused(format!("BUFFER takes at most two numbers, not {count}")));
        }
    };
    if ms == 0 || count == 0 {
        return Ok(Pace::AtOnce);
    }
    let wait = Duration::from_millis(ms.min(MAX_WAIT_MS));
    Ok(Pace::Gathered { wait, count: count.min(MAX_COUNT) as usize })
}

fn number(name: &'static str, word: &str) -> Result<u64> {
    let number: f64 = word.parse().unwrap_or(f64::NAN);
    if number >= 0.0 {
        // A cast of what is too large is the largest.
        return Ok(number.ceil() as u64);
    }
    let value = word.chars().take(80).collect::<String>().into();
    Err(Error::BadArgument { name, value, reason: "not a number from 0".into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Pace> {
        pace(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    fn gathered(ms: u64, count: usize) -> Pace {
        Pace::Gathered { wait: Duration::from_millis(ms), count }
    }

    #[test]
    fn both_values_are_cut_and_never_refused_for_being_large() {
        for (line, pace) in [
            ("", Pace::AtOnce),
            ("0", Pace::AtOnce),
            ("100 0", Pace::AtOnce),
            ("100", gathered(100, 100)),
            ("300 50", gathered(300, 50)),
            ("0.4 2", gathered(1, 2)),
            ("60000 1000", gathered(10_000, 1_000)),
            ("1e300 99999999999999999999", gathered(10_000, 10_000)),
        ] {
            assert_eq!(of(line).ok(), Some(pace), "{line}");
        }
    }

    #[test]
    fn what_is_no_number_is_named() {
        for (line, text) in
            [("x", "`ms`"), ("-1", "-1"), ("100 nan", "`count`"), ("1 2 3", "not 3")]
        {
            let error = of(line).unwrap_err().to_string();
            assert!(error.contains(text), "{line}: {error}");
        }
    }
}
