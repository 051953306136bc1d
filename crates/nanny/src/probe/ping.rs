//! An ICMP echo.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::failure::{Failure, Seen};
use crate::shared::Shared;

/// Asks once; the limit of the check ends the wait.
pub(super) async fn run(server: IpAddr, shared: &Shared) -> Result<Seen, Failure> {
    shared.ping(server).await?;
    Ok(Cow::Borrowed("echo"))
}
