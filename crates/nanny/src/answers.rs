//! Answers judged without a network: what fuzzing gives to the parsers of this crate.

use std::net::SocketAddr;
use std::process::ExitStatus;

use config::model::{Expect, HttpCheck};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::data_path;
use crate::failure::{Failure, Seen};
use crate::probe::{Dialogue, External, Http};
use crate::shared::Shared;
use crate::trace::Trace;

/// Any address will do: nothing is sent there.
const NOWHERE: SocketAddr =
    SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 80));

/// A check of HTTP over a connection that is there already. It has no limit of time of its own, and
/// of a redirect it only says where it leads.
///
/// # Errors
/// The answer is not a good one.
pub async fn http(
    check: &HttpCheck,
    shared: &Shared,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
) -> Result<Seen, Failure> {
    Http::new(NOWHERE, check, shared)?.answer(stream, &mut Trace::quiet()).await
}

/// A check by text over a connection that is there already. It has no limit of time of its own.
///
/// # Errors
/// The answer is not the expected one.
pub async fn dialogue(
    expect: &Expect,
    shared: &Shared,
    stream: impl AsyncRead + AsyncWrite + Unpin,
) -> Result<Seen, Failure> {
    let dialogue = Dialogue::new(false, Some(b"hello".to_vec()), Some(expect), shared)?;
    dialogue.talk(stream, &mut Trace::quiet()).await
}

/// What a program said and how it ended.
///
/// # Errors
/// The program says that the server is not well.
pub fn program(
    expect: Option<&Expect>,
    shared: &Shared,
    status: ExitStatus,
    output: &[u8],
    errors: &[u8],
) -> Result<Seen, Failure> {
    let argv = ["program".to_owned(), String::from_utf8_lossy(output).into_owned()];
    External::new(&argv, NOWHERE, None, expect, shared)?.judge(status, output, errors)
}

/// What a data-path check reads of a packet that came to `port`: the virtual server that is answered
/// for, whether it accepts, and what it has received.
pub fn segment(packet: &[u8], port: u16) -> Option<(SocketAddr, bool, u32)> {
    let answer = data_path::answer(packet, port)?;
    let accepts = answer.says == data_path::Says::Accepts;
    Some((answer.virtual_server, accepts, answer.acknowledged))
}
