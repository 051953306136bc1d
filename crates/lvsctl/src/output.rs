//! The terminal: colours, width, printing.

use anstyle::{AnsiColor, Style};
use runtime::ExitError;

pub(crate) const PLAIN: Style = Style::new();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

/// Text in a style. What comes from servers or files cannot bring styles of its own.
pub(crate) fn styled(text: &str, style: Style) -> String {
    let text = runtime::logging::sentence(text);
    if style == PLAIN || text.is_empty() { text } else { format!("{style}{text}{style:#}") }
}

/// Prints; colours are dropped when nobody would see them (a pipe, `NO_COLOR`).
pub(crate) fn print(text: &str) -> Result<(), ExitError> {
    if has_colour() { runtime::print(text) } else { runtime::print(&without_colour(text)) }
}

/// Prints to standard error, which carries remarks beside a result.
pub(crate) fn remark(text: &str) {
    use std::io::Write;
    let mut stream = anstream::stderr().lock();
    // Remarks that nobody can see are not worth an error.
    let _ = stream.write_all(text.as_bytes());
}

/// Whether standard output shows colours.
pub(crate) fn has_colour() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

pub(crate) fn without_colour(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Columns and rows of the terminal; none when standard output is not one.
pub(crate) fn terminal_size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    (size.ws_col > 0).then(|| (size.ws_col.into(), size.ws_row.into()))
}

/// JSON as people and programs read it.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, ExitError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| ExitError::internal(format!("cannot write JSON: {error}")))?;
    Ok(text + "\n")
}
