//! The kernel's nf_tables, as far as firewall marks need it: one table of our own.

use ipvs::MarkRule;
use ipvs::wire::marks::{self, MarkRequest, MarkTable};
use neli::consts::socket::NlFamily;

use crate::KernelError;
use crate::channel::{Channel, Outgoing};

/// A socket to the kernel's nf_tables in the network namespace of its opening.
///
/// It needs `CAP_NET_ADMIN`. A call that is cut off does no harm to the next one.
pub struct MarksSocket {
    channel: Channel,
}

impl MarksSocket {
    /// Opens the socket.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn open() -> Result<Self, KernelError> {
        Ok(Self { channel: Channel::open(NlFamily::Netfilter)? })
    }

    /// Reads what our table marks. Other tables are not touched.
    ///
    /// # Errors
    /// [`KernelError::NoNetfilter`] and [`KernelError::NotPermitted`] say what to do.
    pub async fn read(&mut self) -> Result<MarkTable, KernelError> {
        let [tables, chains, rules] = marks::list();
        let answers =
            [self.list(&tables).await?, self.list(&chains).await?, self.list(&rules).await?];
        Ok(MarkTable::decode(&answers)?)
    }

    /// Marks exactly so, in one step; without rules our table is gone.
    ///
    /// # Errors
    /// As the kernel answers; then everything is as before.
    pub async fn replace(&mut self, rules: &[MarkRule]) -> Result<(), KernelError> {
        let messages: Vec<Outgoing> = marks::replace(rules).into_iter().map(outgoing).collect();
        self.channel.transaction(&messages).await.map_err(without_netfilter)
    }

    async fn list(&mut self, request: &MarkRequest) -> Result<Vec<Vec<u8>>, KernelError> {
        match self.channel.dump(request.kind, &request.payload).await {
            // There is no such table.
            Err(KernelError::Refused { errno: libc::ENOENT, .. }) => Ok(Vec::new()),
            other => other.map_err(without_netfilter),
        }
    }
}

fn outgoing(MarkRequest { kind, flags, payload }: MarkRequest) -> Outgoing {
    Outgoing { kind, flags, payload }
}

/// The kernel's answer where nf_tables is not there.
fn without_netfilter(error: KernelError) -> KernelError {
    match error {
        KernelError::Refused { errno: libc::EOPNOTSUPP, .. } => KernelError::NoNetfilter,
        KernelError::Socket(text) if text.contains("not supported") => KernelError::NoNetfilter,
        other => other,
    }
}
