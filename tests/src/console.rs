//! Lines for the person who watches.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;
use std::time::Instant;

static COLOUR: OnceLock<bool> = OnceLock::new();
static START: OnceLock<Instant> = OnceLock::new();

/// Green: a promise kept.
pub const GOOD: &str = "32";
/// Red: a promise broken.
pub const BAD: &str = "31";
/// Bold: a heading.
pub const STRONG: &str = "1";
/// Dim: detail.
pub const DIM: &str = "2";

/// Decides once whether lines are coloured. In the guest the console never looks like the
/// person's terminal, so the answer comes from outside.
pub fn set_colour(colour: bool) {
    let _ = COLOUR.set(colour);
}

/// Starts the clock that [`step`] shows.
pub fn start_clock() {
    let _ = START.set(Instant::now());
}

/// Seconds since [`start_clock`].
pub fn elapsed() -> f64 {
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// Writes one line. A reader that went away is not the scenario's business.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// The text in a colour, when colours are wanted.
pub fn paint(style: &str, text: &str) -> String {
    if *COLOUR.get_or_init(|| std::io::stdout().is_terminal()) {
        format!("\x1b[{style}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// One step of a scenario, with the time since its start.
pub fn step(text: &str) {
    let clock = paint(DIM, &format!("{:7.2}s", elapsed()));
    line(&format!("  {clock}  {text}"));
}
