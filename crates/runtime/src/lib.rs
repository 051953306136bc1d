//! What every daemon and tool shares with its surroundings: logging, signals, readiness, sockets,
//! children and watched files. Decisions live in the pure crates; this one only carries them.

pub mod append;
pub mod applied;
pub mod arguments;
pub mod child;
pub mod config_file;
pub mod control_server;
pub mod dirs;
pub mod exit;
pub mod fdpass;
pub mod group;
pub mod hook;
pub mod journal;
pub mod lines;
pub mod logging;
mod pace;
pub mod presence;
pub mod privilege;
pub mod raw_sockets;
pub mod readiness;
mod replace;
mod run;
pub mod signals;
pub mod sysctl;
#[cfg(test)]
mod test_folder;
pub mod timestamp;
pub mod users;
pub mod watch;
pub mod whoami;

pub use exit::{Exit, ExitError};
pub use journal::Journal;
pub use logging::LogOptions;
pub use replace::replace;
pub use run::{Context, TURNS, print, run, run_command, run_prepared};
