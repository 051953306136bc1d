//! lvsctl: what an operator types.

use std::process::ExitCode;

fn main() -> ExitCode {
    match runtime::arguments::parse::<lvsctl::Arguments>() {
        Ok(arguments) => runtime::run_command("lvsctl", lvsctl::run(arguments)),
        Err(code) => code,
    }
}
