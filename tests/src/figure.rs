//! Figures that a scenario measured, and its result as a file.

use serde::{Deserialize, Serialize};

/// Samples of one quantity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured, in words.
    pub name: String,
    /// Unit of every sample, for example `ms`.
    pub unit: String,
    /// Smallest sample.
    pub min: f64,
    /// Middle sample (the mean of the middle two when their number is even).
    pub median: f64,
    /// Largest sample.
    pub max: f64,
    /// All samples in the order in which they were taken.
    pub samples: Vec<f64>,
}

impl Figure {
    /// A figure over its samples. No sample gives `None`: nothing was measured.
    pub fn new(name: &str, unit: &str, samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        Some(Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            min: *sorted.first()?,
            median: f64::midpoint(lower, upper),
            max: *sorted.last()?,
            samples: samples.to_vec(),
        })
    }

    /// One line of the table of figures.
    pub fn line(&self) -> String {
        let value = if self.samples.len() == 1 {
            format!("{:>10}", short(self.median))
        } else {
            format!(
                "{:>10} (min {}, max {}, n {})",
                short(self.median),
                short(self.min),
                short(self.max),
                self.samples.len()
            )
        };
        format!("{:<52}{value} {}", self.name, self.unit)
    }
}

/// Three digits are enough for a person.
fn short(value: f64) -> String {
    if value.abs() >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// What became of one scenario; written as JSON to the results folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScenarioResult {
    /// The scenario's name.
    pub name: String,
    /// What it promises.
    pub promise: String,
    /// Whether the promise was kept.
    pub passed: bool,
    /// Why not.
    pub failure: Option<String>,
    /// How long it took.
    pub seconds: f64,
    /// What it measured.
    pub figures: Vec<Figure>,
    /// Why it broke the first time, when this is its second.
    pub broke_before: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_of_samples_is_the_mean_of_the_middle_two() {
        let figure = Figure::new("x", "ms", &[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((figure.min, figure.median, figure.max), (1.0, 2.5, 4.0));
    }

    #[test]
    fn samples_keep_their_order() {
        let figure = Figure::new("x", "ms", &[3.0, 1.0, 2.0]).unwrap();
        assert_eq!((figure.median, figure.samples), (2.0, vec![3.0, 1.0, 2.0]));
    }

    #[test]
    fn nothing_measured_is_no_figure() {
        assert!(Figure::new("x", "ms", &[]).is_none());
    }
}
