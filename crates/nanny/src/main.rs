//! nanny watches real servers; lvsd starts it.

use std::process::ExitCode;

use clap::Parser;
use nanny::arguments::{Arguments, Command};
use nanny::sandbox;
use nanny::{command, daemon};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return command::usage(&error),
    };
    match arguments.command {
        Some(Command::Check(options)) => command::run(options),
        None => {
            // This waits for lvsd's first byte, while signals still end the process.
            let sockets = daemon::passed_sockets();
            let confine = arguments.confine();
            let log = arguments.log.panic_ends_the_task();
            let enter = move || sandbox::enter(confine);
            let work = async |context| daemon::run(context, sockets?).await;
            runtime::run_prepared("nanny", log, runtime::TURNS, enter, work)
        }
    }
}
