//! Probes against real servers on loopback, well-behaved and hostile.

mod dialogues;
mod http_answers;
mod https;
mod logins;
mod programs;
mod redirects;
mod turns;

use super::*;
use config::model::{Digest, Expect, HttpCheck, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SECOND: Duration = Duration::from_secs(1);

/// Long enough never to matter on a busy machine.
const PLENTY: Duration = Duration::from_secs(20);

fn check(kind: CheckKind, timeout: Duration) -> Check {
    Check::plain(kind, SECOND, timeout)
}

/// Runs one check and shows what a person would read.
async fn run(server: SocketAddr, kind: CheckKind, timeout: Duration) -> Result<String, String> {
    let shared = Arc::new(Shared::new(Vec::new()));
    let probe = Probe::new(server, None, &check(kind, timeout), &shared);
    let outcome = probe.run(&shared, &mut Trace::quiet()).await;
    outcome.map(Cow::into_owned).map_err(|failure| failure.to_string())
}

/// A server that treats each connection as it is told, on an IPv4 port of its own.
async fn server<F>(treat: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    server_on("127.0.0.1:0", treat).await
}

async fn server_on<F>(address: &str, treat: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(treat(stream));
        }
    });
    address
}

/// A port on which nobody listens.
async fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A server that reads one request and answers with these bytes.
async fn answering(answer: &'static [u8]) -> SocketAddr {
    server(move |mut stream| async move {
        let mut request = [0; 1024];
        let _length = stream.read(&mut request).await;
        let _sent = stream.write_all(answer).await;
        let _closed = stream.shutdown().await;
    })
    .await
}

/// Keeps a connection without a word until the other side ends it.
async fn hold(mut stream: TcpStream) {
    let mut sink = [0; 1024];
    while let Ok(1..) = stream.read(&mut sink).await {}
    std::future::pending().await
}
