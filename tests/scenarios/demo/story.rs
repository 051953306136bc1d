//! What the demo says, and the promises that it keeps count of.

use lab::console::{BAD, DIM, GOOD, STRONG, line, paint};
use lab::{Failure, Outcome, Run};

/// A sentence of the demo is at most so wide.
const WIDTH: usize = 96;

/// One promise, and what was seen of it.
struct Promise {
    text: String,
    kept: bool,
    seen: String,
}

/// The demo's narrator.
#[derive(Default)]
pub(crate) struct Story {
    act: usize,
    promises: Vec<Promise>,
}

impl Story {
    /// Opens the next act.
    pub(crate) fn act(&mut self, title: &str) {
        self.act += 1;
        line("");
        line(&paint(STRONG, &format!("{}. {title}", self.act)));
    }

    /// Tells something, in lines of a readable width.
    pub(crate) fn tell(&self, text: impl AsRef<str>) {
        for row in wrap(text.as_ref()) {
            line(&format!("   {row}"));
        }
    }

    /// Shows what a person would see after typing `command` on `host`.
    pub(crate) fn show(&self, host: &str, command: &str, output: &str) {
        line(&format!("   {} {}", paint(DIM, &format!("{host} #")), paint(STRONG, command)));
        for row in output.trim_end().lines() {
            line(&format!("   {} {row}", paint(DIM, "│")));
        }
    }

    /// Counts a promise, kept or broken, and says what was seen.
    pub(crate) fn promise(&mut self, text: &str, kept: bool, seen: String) {
        let mark = if kept { paint(GOOD, "✓") } else { paint(BAD, "✗") };
        line(&format!("   {mark} {text}: {}", paint(STRONG, &seen)));
        self.promises.push(Promise { text: text.to_owned(), kept, seen });
    }

    /// The last page: every promise, every figure.
    pub(crate) fn end(&self, run: &Run) -> Outcome {
        line("");
        line(&paint(STRONG, "Promises"));
        for promise in &self.promises {
            let mark =
                if promise.kept { paint(GOOD, "✓ kept  ") } else { paint(BAD, "✗ BROKEN") };
            line(&format!("   {mark}  {:<72} {}", promise.text, promise.seen));
        }
        line("");
        line(&paint(STRONG, "Measured (everything here is emulated in software: times are long)"));
        for figure in run.figures() {
            line(&format!("   {}", figure.line()));
        }
        line("");
        let broken = self.promises.iter().filter(|promise| !promise.kept).count();
        if broken == 0 {
            line(&paint(GOOD, &format!("All {} promises were kept.", self.promises.len())));
            return Ok(());
        }
        Err(Failure::new(format!("{broken} of {} promises were broken", self.promises.len())))
    }
}

/// Breaks a text into rows at blanks; a text that has rows of its own keeps them.
fn wrap(text: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for own in text.lines() {
        let mut row = String::new();
        for word in own.split_inclusive(' ') {
            if row.chars().count() + word.trim_end().chars().count() > WIDTH {
                rows.push(std::mem::take(&mut row));
            }
            row.push_str(word);
        }
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_are_broken_at_blanks_and_pictures_are_kept() {
        let long = "word ".repeat(30);
        assert!(wrap(&long).iter().all(|row| row.trim_end().chars().count() <= WIDTH));
        assert_eq!(wrap("  a\n    b"), ["  a", "    b"]);
    }
}
