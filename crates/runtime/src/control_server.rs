//! The control socket: HTTP/1.1 and JSON on a Unix socket, so that `curl --unix-socket` is enough.
//!
//! The kernel says who is at the other end. Reading needs root, the user that runs the daemon, or
//! the group `caribe`; acting needs root, that user, or the group `caribe-admin`.

mod message;
mod peer;
mod peer_groups;

use std::convert::Infallible;
use std::fs::DirBuilder;
use std::future::Future;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
pub use hyper::{Method, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
pub use message::{Request, Response};
pub use peer::Peer;
use peer::{Access, Groups};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::exit::{Exit, ExitError};

/// Longest body of a request that reads, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// Longest body of a request that acts, in bytes: a plan is asked for with a whole configuration,
/// and whoever may act could do worse than fill the memory.
pub const MAX_ACTION_BODY: usize = 16 << 20;

/// Connections at a time; the next one waits to be accepted.
pub const MAX_CONNECTIONS: usize = 32;

/// How long a client may take to send its request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// How long somebody without any right may take to say what it wants.
const REFUSAL_TIMEOUT: Duration = Duration::from_millis(200);

/// How long a whole exchange may take.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a socket that could not be made is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Who connects is decided by the peer's credentials, so anybody may try.
const SOCKET_MODE: u32 = 0o666;

/// A socket that is being served. Dropping it ends the service and removes the socket.
#[derive(Debug)]
pub struct ControlServer {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl ControlServer {
    /// Serves `path`: each permitted request is given to `router`, and what it returns is the
    /// answer. A socket that a daemon still answers on is an error; one that was left behind is
    /// replaced. Where it cannot be made at the moment (no room, a read-only file system) the daemon
    /// works without it, and it is tried each second.
    ///
    /// # Errors
    /// Somebody answers on it already, or we may not write there.
    pub fn start<Router, Work>(path: PathBuf, router: Router) -> Result<Self, ExitError>
    where
        Router: Fn(Request) -> Work + Clone + Send + Sync + 'static,
        Work: Future<Output = Response> + Send + 'static,
    {
        Self::start_for(path, |peer| Access::of(peer, &Groups::of_this_host()), router)
    }

    /// With another rule of who may do what.
    fn start_for<Router, Work>(
        path: PathBuf,
        access: fn(&Peer) -> Access,
        router: Router,
    ) -> Result<Self, ExitError>
    where
        Router: Fn(Request) -> Work + Clone + Send + Sync + 'static,
        Work: Future<Output = Response> + Send + 'static,
    {
        let task = match bind(&path) {
            Ok(listener) => tokio::spawn(accept(listener, access, router)),
            Err(BindError::Passing(error)) => {
                tracing::error!(
                    socket = %path.display(), %error,
                    "the control socket cannot be made, it is tried again each second"
                );
                let path = path.clone();
                tokio::spawn(async move {
                    let listener = bind_later(&path).await;
                    tracing::info!(socket = %path.display(), "the control socket is there now");
                    accept(listener, access, router).await;
                })
            }
            Err(BindError::Refused(error)) => return Err(error),
        };
        Ok(Self { path, task })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.task.abort();
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "cannot remove the control socket");
        }
    }
}

/// Why a socket could not be made.
enum BindError {
    /// Somebody has to act.
    Refused(ExitError),
    /// It may be otherwise in a second.
    Passing(std::io::Error),
}

fn bind(path: &Path) -> Result<UnixListener, BindError> {
    let shown = path.display();
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        let message =
            format!("cannot serve {shown}: a daemon answers on it already; stop that one first");
        return Err(BindError::Refused(ExitError::unavailable(message)));
    }
    let fail = |error: std::io::Error| {
        if error.kind() != std::io::ErrorKind::PermissionDenied {
            return BindError::Passing(error);
        }
        let message = format!("cannot serve {shown}: {error}; give another --runtime-dir");
        BindError::Refused(ExitError::from_io(&error, Exit::Configuration, message))
    };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(fail)?;
    let mode = std::fs::Permissions::from_mode(SOCKET_MODE);
    std::fs::set_permissions(path, mode).map_err(fail)?;
    Ok(listener)
}

/// Tries until it is there. A folder that could not be made either is made as it was to be.
async fn bind_later(path: &Path) -> UnixListener {
    loop {
        tokio::time::sleep(AGAIN).await;
        if let Some(folder) = path.parent() {
            // Whether that worked is seen in a moment.
            let _made = DirBuilder::new().recursive(true).mode(crate::dirs::PUBLIC).create(folder);
        }
        match bind(path) {
            Ok(listener) => return listener,
            Err(BindError::Passing(error)) => tracing::debug!(%error, "no control socket yet"),
            Err(BindError::Refused(error)) => tracing::debug!(%error, "no control socket yet"),
        }
    }
}

async fn accept<Router, Work>(listener: UnixListener, access: fn(&Peer) -> Access, router: Router)
where
    Router: Fn(Request) -> Work + Clone + Send + Sync + 'static,
    Work: Future<Output = Response> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut told = false;
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                told = false;
                let router = router.clone();
                tokio::spawn(async move {
                    let served = serve(stream, access, router);
                    if tokio::time::timeout(EXCHANGE_TIMEOUT, served).await.is_err() {
                        tracing::debug!("a control client took too long");
                    }
                    drop(slot);
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: wait for some to come back. Told once.
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, "cannot accept control clients, it is tried again");
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// One request and its answer. There is no second one: an idle client must not hold a slot.
async fn serve<Router, Work>(stream: UnixStream, access: fn(&Peer) -> Access, router: Router)
where
    Router: Fn(Request) -> Work,
    Work: Future<Output = Response>,
{
    let peer = match Peer::of(&stream) {
        Ok(peer) => peer,
        Err(error) => {
            tracing::warn!(%error, "cannot tell who a control client is");
            return;
        }
    };
    let access = access(&peer);
    if access == Access::default() {
        // Not one of ours: no say in how long this takes.
        refuse(&stream).await;
        return;
    }
    let service = service_fn(|request| {
        let (peer, router) = (peer.clone(), &router);
        async move { Ok::<_, Infallible>(answer(request, peer, access, router).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .keep_alive(false)
        .max_buf_size(MAX_BODY)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a control client went away");
    }
}

async fn answer<Router, Work>(
    request: hyper::Request<Incoming>,
    peer: Peer,
    access: Access,
    router: &Router,
) -> hyper::Response<Full<Bytes>>
where
    Router: Fn(Request) -> Work,
    Work: Future<Output = Response>,
{
    let (head, body) = request.into_parts();
    if let Err(refused) = access.permits(&head.method) {
        return Response::failure(StatusCode::FORBIDDEN, refused).into_http();
    }
    let limit = if peer::is_reading(&head.method) { MAX_BODY } else { MAX_ACTION_BODY };
    let response = match Limited::new(body, limit).collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            router(Request::new(head.method, &head.uri, body, peer)).await
        }
        Err(error) if error.is::<LengthLimitError>() => Response::failure(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the request's body is longer than {limit} bytes"),
        ),
        Err(error) => Response::failure(
            StatusCode::BAD_REQUEST,
            format!("the request's body did not arrive: {error}"),
        ),
    };
    response.into_http()
}

/// The answer to somebody who may do nothing, in one go. The request is taken in as far as it is
/// there, because a client that cannot write it would not look for an answer.
async fn refuse(stream: &UnixStream) {
    let body = Response::failure(StatusCode::FORBIDDEN, peer::NO_ACCESS).body;
    let mut bytes = format!(
        "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(&body);
    let exchange = async {
        stream.readable().await?;
        let ignored = stream.try_read(&mut [0; 4096]);
        tracing::trace!(?ignored, "a control client is refused");
        stream.writable().await?;
        stream.try_write(&bytes)
    };
    match tokio::time::timeout(REFUSAL_TIMEOUT, exchange).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a refused control client went away"),
        Err(_) => tracing::debug!("a refused control client said nothing"),
    }
}

#[cfg(test)]
mod tests;
