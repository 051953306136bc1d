//! `lvsctl check`: everything that is wrong with a configuration, in one run.

mod resources;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use config::{Loaded, Severity};
use runtime::{Exit, ExitError, config_file};

use crate::output::{self, BAD, GOOD, ODD, styled};
use crate::{key_file, programs};

pub(crate) async fn run(paths: &[PathBuf]) -> Result<ExitCode, ExitError> {
    let paths = match paths {
        [] => vec![config_file::locate(None)?],
        paths => paths.to_vec(),
    };
    let mut exit = Exit::Done;
    for path in paths {
        let mut loaded = config_file::reload(path.clone()).await?;
        let missing = key_file::missing(&path, &loaded);
        loaded.diagnostics.extend(missing);
        if let Some(cluster) = &loaded.cluster {
            loaded.diagnostics.extend(programs::unusable(cluster));
        }
        if loaded.cluster.is_none() {
            exit = Exit::Configuration;
        }
        output::print(&report(&path, &loaded, output::has_colour()))?;
        if let Some(remark) = loaded.cluster.as_ref().and_then(resources::remark) {
            output::remark(&remark);
        }
    }
    Ok(exit.into())
}

/// Every problem and every note, then one line that says what became of it.
fn report(path: &Path, loaded: &Loaded, colour: bool) -> String {
    let mut text = config::render(&loaded.diagnostics, colour);
    text.push_str(&config::render_notes(&loaded.notes));
    text.push_str(&summary(path, loaded));
    text
}

fn summary(path: &Path, loaded: &Loaded) -> String {
    let count =
        |severity| loaded.diagnostics.iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let format = loaded.format.name();
    let path = runtime::logging::sentence(&path.display().to_string());
    let verdict = match (&loaded.cluster, warnings) {
        (None, _) => styled(&format!("refused, {}", problems(errors, warnings)), BAD),
        (Some(_), 0) => styled("good", GOOD),
        (Some(_), _) => styled(&format!("good, {}", problems(errors, warnings)), ODD),
    };
    let contents = loaded.cluster.as_ref().map_or_else(String::new, |cluster| {
        let servers: usize = cluster.services.iter().map(|service| service.servers.len()).sum();
        format!(
            ": {}, {}",
            counted(cluster.services.len(), "virtual server"),
            counted(servers, "real server")
        )
    });
    format!("{path} ({format}) is {verdict}{contents}\n")
}

fn problems(errors: usize, warnings: usize) -> String {
    match (errors, warnings) {
        (errors, 0) => counted(errors, "error"),
        (0, warnings) => counted(warnings, "warning"),
        _ => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
    }
}

/// `1 error`, `2 errors`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
