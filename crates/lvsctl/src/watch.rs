//! `lvsctl watch`: the status, again each second.

use std::time::Duration;

use runtime::{ExitError, timestamp};

use crate::client::Daemons;
use crate::output::{self, BAD, styled};
use crate::status;

const PAUSE: Duration = Duration::from_secs(1);

/// To the upper left corner.
const HOME: &str = "\x1b[H";

/// Clears the rest of the line, and the rest of the screen.
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

pub(crate) async fn run(daemons: &Daemons) -> Result<(), ExitError> {
    if output::terminal_size().is_none() {
        return Err(ExitError::usage("cannot redraw what is no terminal: use lvsctl status"));
    }
    let mut ticks = tokio::time::interval(PAUSE);
    loop {
        ticks.tick().await;
        let (width, height) = output::terminal_size().unwrap_or((80, 24));
        let now = timestamp::unix_ms();
        let text = match status::gather(daemons).await {
            Ok(snapshot) => {
                let why = snapshot.failure().map(|error| styled(&error.message, BAD) + "\n");
                why.unwrap_or_default() + &status::render(&snapshot, Some(width), now)
            }
            // A daemon that is being restarted is back soon.
            Err(error) => styled(&error.message, BAD),
        };
        let text = frame(&text, height);
        runtime::print(&if output::has_colour() { text } else { without_styles(&text) })?;
    }
}

/// Redraws in place, without a flicker; what does not fit is counted.
fn frame(text: &str, height: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let fits = if lines.len() < height { lines.len() } else { height.saturating_sub(2) };
    let mut frame = HOME.to_owned();
    for line in lines.iter().take(fits) {
        frame.push_str(line);
        frame.push_str(CLEAR_LINE);
        frame.push('\n');
    }
    if fits < lines.len() {
        frame.push_str(&format!("… {} more lines{CLEAR_LINE}\n", lines.len() - fits));
    }
    frame.push_str(CLEAR_BELOW);
    frame
}

/// Drops colours but keeps the movements of the cursor.
fn without_styles(frame: &str) -> String {
    let lines = frame.trim_start_matches(HOME).trim_end_matches(CLEAR_BELOW).lines();
    let plain: String = lines
        .map(|line| output::without_colour(line.trim_end_matches(CLEAR_LINE)) + CLEAR_LINE + "\n")
        .collect();
    format!("{HOME}{plain}{CLEAR_BELOW}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let frame = frame("1\n2\n3\n4\n5\n", 4);
        assert_eq!(frame, "\x1b[H1\x1b[K\n2\x1b[K\n… 3 more lines\x1b[K\n\x1b[J");
    }

    #[test]
    fn without_colours_the_screen_is_still_redrawn_in_place() {
        let coloured = frame(&styled("down", BAD), 4);
        assert_eq!(without_styles(&coloured), "\x1b[Hdown\x1b[K\n\x1b[J");
    }
}
