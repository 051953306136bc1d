//! The command line.

use std::process::ExitCode;

use crate::Exit;

/// Reads the command line. A wrong one, or a wish for help, is answered; the code is then the
/// program's end.
pub fn parse<Arguments: clap::Parser>() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|answer| {
        // Whoever closed the stream does not want the answer.
        let _ = answer.print();
        if answer.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
    })
}
