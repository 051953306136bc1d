//! What an operator types: `lvsctl status`, `lvsctl drain www1`, `lvsctl check /etc/ha.d`.
//!
//! Each command gathers, then renders, then prints: rendering is pure, so that what an operator
//! sees is tested as text.

mod act;
mod ago;
mod arguments;
mod check;
mod client;
mod convert;
mod explain;
mod explain_key;
mod format;
mod history;
mod key_file;
mod keygen;
mod output;
mod plan;
mod programs;
mod realserver;
mod said;
mod schema;
mod status;
mod table;
mod watch;

use std::process::ExitCode;

pub use arguments::Arguments;
use arguments::Command;
use client::Daemons;
use runtime::ExitError;
use runtime::dirs::RuntimeDir;

/// Does what the command line says.
///
/// # Errors
/// One line that says what was tried, why it failed and what to do next.
pub async fn run(arguments: Arguments) -> Result<ExitCode, ExitError> {
    let daemons = Daemons::new(RuntimeDir::choose(arguments.runtime_dir.as_deref()));
    match arguments.command {
        Command::Check { paths } => return check::run(&paths).await,
        Command::Convert { path, partner, from, output } => {
            return convert::run(&path, partner, from, output.as_deref()).await;
        }
        Command::Realserver(what) => {
            return realserver::run(arguments.runtime_dir.as_deref(), what).await;
        }
        Command::Plan { path } => plan::run(&daemons, path).await?,
        Command::Status { json } => status::run(&daemons, json).await?,
        Command::Watch => watch::run(&daemons).await?,
        Command::Explain { server, json } => explain::run(&daemons, &server, json).await?,
        Command::History { lines, json } => history::run(&daemons, lines, json).await?,
        Command::Failover(groups) => act::move_groups(&daemons, "failover", groups, false).await?,
        Command::Takeover(arguments::Takeover { which, force }) => {
            act::move_groups(&daemons, "takeover", which, force).await?;
        }
        Command::Drain(drain) => act::drain(&daemons, drain).await?,
        Command::Undrain(which) => act::undrain(&daemons, which).await?,
        Command::Disable(which) => act::disable(&daemons, which).await?,
        Command::Enable(which) => act::enable(&daemons, which).await?,
        Command::Weight(weight) => act::weight(&daemons, weight).await?,
        Command::Reload => act::reload(&daemons).await?,
        Command::RotateKey => act::rotate_key(&daemons).await?,
        Command::Apply(apply) => act::apply(&daemons, apply).await?,
        Command::Keygen { path } => keygen::run(&path)?,
        Command::ExplainKey { key } => explain_key::run(key.as_deref())?,
        Command::Format { path, write, check } => {
            let to = match (write, check) {
                (true, _) => format::To::File,
                (_, true) => format::To::Nowhere,
                _ => format::To::Output,
            };
            return format::run(path.as_deref(), to);
        }
        Command::Schema => schema::run()?,
    }
    Ok(ExitCode::SUCCESS)
}
