//! lvsd keeps the kernel's IPVS table as it is wanted.

use std::process::ExitCode;

use clap::Parser;
use lvsd::driver;
use lvsd::options::Options;
use runtime::Exit;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            let done = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            return match error.print() {
                Ok(()) => done.into(),
                Err(_) => Exit::Internal.into(),
            };
        }
    };
    let (log, prepared) = (options.log.clone(), options.clone());
    let prepare = move || driver::prepare(&prepared);
    runtime::run_prepared("lvsd", log, runtime::TURNS, prepare, |context| {
        driver::run(options, context)
    })
}
