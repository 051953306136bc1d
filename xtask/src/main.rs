//! Chores of the project: `cargo xtask lab`, `test`, `demo`, `bench`, `man`, `fuzz`.

mod bench_command;
mod cache;
mod demo_command;
mod fuzz_command;
mod fuzz_record;
mod initrd;
mod kernel;
mod lab_command;
mod machine;
mod man_command;
mod packages;
mod process;
mod simulate_command;
mod test_command;
mod trouble;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the project")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run scenarios in a kernel that has IPVS: a small machine in software, or namespaces here
    Lab(lab_command::LabArguments),
    /// Check form and lints, run all tests, then every scenario of the test set
    Test(test_command::TestArguments),
    /// Watch two routers balance two web servers, lose one, lose power, and come back
    Demo(demo_command::DemoArguments),
    /// Run the pair through many random lives, and see that every promise is kept
    Simulate(simulate_command::SimulateArguments),
    /// Measure beside other programs, in the same run
    Bench(bench_command::BenchArguments),
    /// Write the keys of the configuration into their manual page
    Man,
    /// Give random bytes to every parser, with libFuzzer
    Fuzz(fuzz_command::FuzzArguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Lab(arguments) => lab_command::run(&arguments),
        Chore::Test(arguments) => test_command::run(&arguments),
        Chore::Demo(arguments) => demo_command::run(&arguments),
        Chore::Simulate(arguments) => simulate_command::run(&arguments),
        Chore::Bench(arguments) => bench_command::run(&arguments),
        Chore::Man => man_command::run(),
        Chore::Fuzz(arguments) => fuzz_command::run(&arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            lab::console::line(&format!("xtask: {trouble}"));
            ExitCode::from(2)
        }
    }
}
