//! Spans of time as a person says them.

/// Seconds as `12 s`, `3 min`, `2 h 10 min`, `5 d 3 h`.
pub(crate) fn span(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}

/// The largest unit alone, for columns: `12 s`, `3 min`, `2 h`, `5 d`.
pub(crate) fn short(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// How long ago a moment was; empty for one that never was.
pub(crate) fn since(unix_ms: u64, now_unix_ms: u64) -> String {
    said(span, unix_ms, now_unix_ms)
}

/// [`since`] for columns.
pub(crate) fn since_short(unix_ms: u64, now_unix_ms: u64) -> String {
    said(short, unix_ms, now_unix_ms)
}

fn said(words: fn(u64) -> String, unix_ms: u64, now_unix_ms: u64) -> String {
    match unix_ms {
        0 => String::new(),
        _ => words(now_unix_ms.saturating_sub(unix_ms) / 1000),
    }
}

/// Milliseconds since something was heard: `0.1 s`, `12 s`.
pub(crate) fn heard(ms: u64) -> String {
    if ms < 10_000 { format!("{}.{} s", ms / 1000, ms / 100 % 10) } else { span(ms / 1000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_at_most_two_parts() {
        let spans = [0, 59, 60, 3599, 3600, 7800, 86_400, 445_000].map(span);
        assert_eq!(
            spans,
            ["0 s", "59 s", "1 min", "59 min", "1 h", "2 h 10 min", "1 d", "5 d 3 h"]
        );
    }

    #[test]
    fn columns_have_the_largest_unit_alone() {
        let spans = [59, 60, 3599, 7800, 445_000].map(short);
        assert_eq!(spans, ["59 s", "1 min", "59 min", "2 h", "5 d"]);
    }

    #[test]
    fn a_moment_in_the_future_is_now_and_none_is_empty() {
        assert_eq!(since(2000, 1000), "0 s");
        assert_eq!(since(0, 1000), "");
        assert_eq!(heard(123), "0.1 s");
        assert_eq!(heard(75_000), "1 min");
    }
}
