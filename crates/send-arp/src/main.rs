//! send-arp: tells the neighbours where an address is now.

use std::process::ExitCode;

fn main() -> ExitCode {
    match runtime::arguments::parse::<send_arp::command::Arguments>() {
        Ok(arguments) => runtime::run_command("send-arp", send_arp::command::run(arguments)),
        Err(code) => code,
    }
}
