//! pulse: heartbeats, roles and floating addresses of one router.

use std::process::ExitCode;

use clap::Parser;
use pulse::Arguments;
use runtime::Exit;

/// A slice of a thousand addresses takes milliseconds, and no heartbeat is to wait for many of them.
const TURNS: u32 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing can be done when the terminal is gone.
            let _printed = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let (log, prepared) = (arguments.log.clone(), arguments.clone());
    let prepare = move || pulse::prepare(&prepared);
    runtime::run_prepared("pulse", log, TURNS, prepare, |context| pulse::run(arguments, context))
}
