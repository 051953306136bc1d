//! What one run of a scenario has in hand: its folder, its narration, its figures.

use crate::figure::Figure;
use crate::{Failure, Outcome, console};
use std::path::{Path, PathBuf};

/// A scenario that is running.
#[derive(Debug)]
pub struct Run {
    folder: PathBuf,
    results: PathBuf,
    quiet: bool,
    figures: Vec<Figure>,
}

impl Run {
    /// A run whose files live in `folder` (in memory, gone afterwards) and whose results go to
    /// `results`. A quiet run narrates nothing.
    pub fn new(folder: &Path, results: &Path, quiet: bool) -> Self {
        Self { folder: folder.to_owned(), results: results.to_owned(), quiet, figures: Vec::new() }
    }

    /// Tells the person what happens now.
    pub fn step(&self, text: impl AsRef<str>) {
        if !self.quiet {
            console::step(text.as_ref());
        }
    }

    /// Keeps a figure; several samples give minimum, median and maximum.
    ///
    /// # Errors
    /// When there is no sample: a figure that was not measured must not look like one.
    pub fn figure(&mut self, name: &str, unit: &str, samples: &[f64]) -> Outcome {
        let figure = Figure::new(name, unit, samples)
            .ok_or_else(|| Failure::new(format!("nothing was measured for: {name}")))?;
        self.figures.push(figure);
        Ok(())
    }

    /// The figures kept so far.
    pub fn figures(&self) -> &[Figure] {
        &self.figures
    }

    /// The scenario's own folder, in memory, seen at the same path on every host.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder outside, for files that the person is to keep.
    pub fn results(&self) -> &Path {
        &self.results
    }
}
