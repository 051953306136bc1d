//! What a child writes to its standard error becomes lines of our own log.
//!
//! A child of another user can neither open our log files nor open them anew after a rotation.

use std::io;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;

use crate::logging::{LogOutput, sentence};

/// Longest line that is taken from a child, in bytes; the rest of it is a line of its own.
const MAX_LINE: u64 = 4096;

/// The standard error of a child whose lines go to `output`, and the task that copies them until
/// nobody has the other end any more.
///
/// # Errors
/// There is no descriptor left for a pipe.
pub(super) fn to(output: LogOutput) -> io::Result<(Stdio, JoinHandle<()>)> {
    let (reader, writer) = io::pipe()?;
    let reader = Receiver::from_owned_fd(reader.into())?;
    Ok((writer.into(), tokio::spawn(copy(reader, output))))
}

async fn copy(reader: Receiver, output: LogOutput) {
    let mut reader = BufReader::new(reader).take(MAX_LINE);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await.is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line));
        output.write_line(format!("{}\n", sentence(&text)));
        line.clear();
        reader.set_limit(MAX_LINE);
    }
}
