//! `lvsctl history`: what happened on this router, as it was logged.

use control::history::{Event, History};
use runtime::logging::{sentence, value};
use runtime::{ExitError, timestamp};

use crate::client::Daemons;
use crate::output::{self, BAD, DIM, ODD, PLAIN, styled};
use crate::said::{self, Said};

/// What both daemons remember.
type Both = Said<History, History>;

pub(crate) async fn run(
    daemons: &Daemons,
    lines: Option<usize>,
    json: bool,
) -> Result<(), ExitError> {
    let both: Both = said::ask(daemons, "/v1/history").await?;
    if json {
        output::print(&output::json(&both)?)?;
    } else {
        output::print(&render(&both, lines))?;
    }
    both.end()
}

/// The events of both daemons in the order of time, in the form of the log.
fn render(both: &Both, limit: Option<usize>) -> String {
    let mut lines: Vec<(u64, String)> = Vec::new();
    let mut dropped = 0;
    for (daemon, history) in [("pulse", &both.pulse), ("lvsd", &both.lvsd)] {
        let Some(history) = history else { continue };
        dropped += history.dropped;
        lines.extend(history.events.iter().map(|event| (event.at_unix_ms, line(daemon, event))));
    }
    // Stable: events of one moment stay in their daemon's order.
    lines.sort_by_key(|(at, _)| *at);
    let skipped = limit.map_or(0, |limit| lines.len().saturating_sub(limit));
    let mut text = String::new();
    if dropped > 0 && skipped == 0 {
        let note = format!("{dropped} older events are in the log only");
        text.push_str(&styled(&note, DIM));
        text.push('\n');
    }
    for (daemon, fails) in [("pulse", &both.pulse_fails), ("lvsd", &both.lvsd_fails)] {
        if fails.is_some() {
            text.push_str(&(styled(&format!("{daemon} does not answer"), BAD) + "\n"));
        }
    }
    text.extend(lines.into_iter().skip(skipped).map(|(_, line)| line + "\n"));
    text
}

fn line(daemon: &str, event: &Event) -> String {
    let style = match event.level.as_str() {
        "error" => BAD,
        "warn" => ODD,
        _ => PLAIN,
    };
    let level = styled(&event.level.to_ascii_uppercase(), style);
    let fields: String = event
        .fields
        .iter()
        .map(|(name, text)| format!(" {}={}", sentence(name), value(text)))
        .collect();
    let time = timestamp::utc(event.at_unix_ms);
    format!("{time} {level} {daemon}: {}{}", sentence(&event.message), fields)
}

#[cfg(test)]
mod tests {
    use control::history::EventKind;

    use super::*;
    use crate::client::AskError;
    use crate::output::without_colour;

    fn event(at_unix_ms: u64, level: &str, message: &str) -> Event {
        Event {
            at_unix_ms,
            kind: EventKind::Verdict,
            level: level.into(),
            message: message.into(),
            fields: [("reason".into(), "connection refused".into())].into(),
        }
    }

    #[test]
    fn events_of_both_daemons_stand_in_the_order_of_time() {
        let history = |events: Vec<Event>| Ok(History { events, dropped: 0 });
        let both = Both::new(
            history(vec![event(2000, "info", "address taken")]),
            history(vec![event(1000, "warn", "real server down"), event(3000, "info", "up")]),
        );
        let text = without_colour(&render(&both, None));
        let expected = "1970-01-01T00:00:01.000Z WARN lvsd: real server down \
                        reason=\"connection refused\"";
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], expected);
        assert!(lines[1].contains("INFO pulse: address taken"), "{text}");
        assert!(lines[2].contains("INFO lvsd: up"), "{text}");
        assert_eq!(render(&both, Some(1)).lines().count(), 1);
    }

    #[test]
    fn dropped_events_are_mentioned() {
        let lvsd = History { events: vec![event(1, "info", "x")], dropped: 7 };
        let silent = AskError::Silent(ExitError::unavailable("nobody"));
        let both = Both::new(Err(silent), Ok(lvsd));
        assert!(without_colour(&render(&both, None)).starts_with("7 older events"));
        assert_eq!(both.end(), Ok(()));
    }
}
