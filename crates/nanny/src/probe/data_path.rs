//! The check that a real server answers for the virtual server's address.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::connect;
use crate::data_path::Outcome;
use crate::failure::{Failure, Seen, shown};
use crate::shared::Shared;
use crate::trace::{Phase, Trace};

/// The check.
#[derive(Debug)]
pub(crate) struct DataPath {
    server: SocketAddr,
    virtual_server: SocketAddr,
    tunnel: bool,
}

impl DataPath {
    pub(super) fn new(
        server: SocketAddr,
        virtual_server: Option<SocketAddr>,
        tunnel: bool,
    ) -> Result<Self, Failure> {
        let missing = || Failure::Other("no virtual address to ask for".to_owned());
        let virtual_server = virtual_server.ok_or_else(missing)?;
        let server = SocketAddr::new(server.ip(), virtual_server.port());
        Ok(Self { server, virtual_server, tunnel })
    }

    /// The server's own address is asked first: that makes its link-layer address known, and tells
    /// what to look for when the other one does not answer.
    pub(super) async fn run(
        &self,
        limit: Duration,
        shared: &Shared,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        let deadline = Instant::now() + limit;
        trace.enter(Phase::Connect);
        let direct = timeout(limit / 2, connect::open(self.server)).await;
        let direct = match direct {
            Ok(Ok(_stream)) => format!("while {} itself accepts", self.server),
            Ok(Err(failure)) if failure.is_ours() => return Err(failure),
            Ok(Err(failure)) => format!("nor does {} itself: {failure}", self.server),
            Err(_) => format!("nor does {} itself", self.server),
        };
        trace.enter(Phase::Answer);
        let asked = shared.data_path().ask(self.server.ip(), self.virtual_server, self.tunnel);
        match timeout_at(deadline, asked).await {
            Ok(Ok(Outcome::Accepts)) => Ok(Cow::Borrowed("answers for the virtual server")),
            Ok(Ok(Outcome::Refuses)) => Err(Failure::Other(format!(
                "connections for {} are refused, {direct}",
                self.virtual_server
            ))),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(Failure::Other(format!(
                "it does not answer for {} within {}, {direct}; `lvsctl realserver check` there tells what is missing",
                self.virtual_server,
                shown(limit)
            ))),
        }
    }
}
