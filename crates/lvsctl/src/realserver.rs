//! `lvsctl realserver`: on a real server, answers for floating addresses and tells nobody on the
//! wire. Undone exactly: what was there before is kept in the runtime directory.

mod asked;
mod host;
mod need;
mod undo;
mod work;

use std::path::Path;
use std::process::ExitCode;

use runtime::dirs::RuntimeDir;
use runtime::sysctl;
use runtime::{Exit, ExitError};

use crate::arguments::{RealServer, RealServerTask};
use crate::output::{self, BAD, GOOD, styled};
use host::{Hands, Kernel};
use need::{Need, Piece};
use undo::Undo;

/// Its folder in the runtime directory.
const FOLDER: &str = "realserver";

/// Does what the command line says.
pub(crate) async fn run(
    runtime_dir: Option<&Path>,
    given: RealServer,
) -> Result<ExitCode, ExitError> {
    match given.task {
        RealServerTask::Check => check(&given).await,
        RealServerTask::Up => {
            let (mut kernel, need) = read(&given).await?;
            let folder = RuntimeDir::prepare(runtime_dir)?.private(FOLDER)?;
            let done = work::up(&mut kernel, &need, &mut Undo::load(folder)?).await?;
            tell(&done, "nothing to do: this host answers for them already")
        }
        RealServerTask::Down => {
            let mut kernel = Kernel::open()?;
            let folder = RuntimeDir::prepare(runtime_dir)?.private(FOLDER)?;
            let done = work::down(&mut kernel, Undo::load(folder)?).await?;
            tell(&done, "nothing to do: nothing was set up here")
        }
    }
}

async fn read(given: &RealServer) -> Result<(Kernel, Need), ExitError> {
    let mut kernel = Kernel::open()?;
    let own = kernel.read().await?.own_addresses();
    let asked = asked::asked(given, &own).await?;
    Ok((kernel, Need::of(&asked, &given.interface)))
}

fn tell(done: &[String], otherwise: &str) -> Result<ExitCode, ExitError> {
    let lines = done.iter().map(|line| format!("{line}\n")).collect::<String>();
    output::print(&if lines.is_empty() { format!("{otherwise}\n") } else { lines })?;
    Ok(ExitCode::SUCCESS)
}

/// Says of each piece whether it is there, and what it is for; nothing is changed.
async fn check(given: &RealServer) -> Result<ExitCode, ExitError> {
    let (mut kernel, need) = read(given).await?;
    let host = kernel.read().await?;
    let now = sysctl::read(Path::new(sysctl::ROOT), need.files());
    let pieces: Vec<(Piece, bool)> = need.pieces(&host, &now);
    let missing = pieces.iter().filter(|(_, there)| !there).count();
    output::print(&render(&pieces))?;
    if missing == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    output::remark(&format!(
        "{} of {} missing: `lvsctl realserver up` sets up what it can\n",
        missing,
        pieces.len()
    ));
    Ok(ExitCode::from(Exit::Unavailable))
}

fn render(pieces: &[(Piece, bool)]) -> String {
    let line = |(piece, there): &(Piece, bool)| {
        let (word, style) = if *there { ("ok", GOOD) } else { ("missing", BAD) };
        let what = styled(&piece.to_string(), output::PLAIN);
        let line = format!("{}{}  {what}\n", styled(word, style), " ".repeat(7 - word.len()));
        let why = || format!("           {}\n", styled(piece.why(), output::DIM));
        if *there { line } else { line + &why() }
    };
    pieces.iter().map(line).collect()
}

#[cfg(test)]
mod tests;
