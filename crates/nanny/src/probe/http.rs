//! HTTP and HTTPS requests.

mod redirect;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use config::model::{Digest, HttpCheck};
use health::body::Body;
use health::expect::{Pattern, Progress};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Method, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{connect, tls};
use crate::failure::{Failure, Seen};
use crate::shared::Shared;
use crate::trace::{Phase, Trace};
use redirect::Redirects;

/// Bytes of a head that are waited for. One that is whole in the last bytes read may be larger, up
/// to twice as much.
const HEAD_LIMIT: usize = 64 << 10;

/// The check.
#[derive(Debug)]
pub(crate) struct Http {
    method: Method,
    first: Request,
    status: Vec<(u16, u16)>,
    expect: Option<Arc<Pattern>>,
    digest: Option<Digest>,
    /// None follows no redirect.
    redirects: Option<Box<Redirects>>,
}

/// A request, but for what all of one check have in common.
#[derive(Debug)]
struct Request {
    path: Uri,
    host: HeaderValue,
    tls: Option<tls::Side>,
}

/// An answer that is not a bad one.
#[derive(Debug)]
enum Answer {
    Good(Seen),
    /// This status says that another page is to be asked for, by this `Location`.
    Elsewhere(u16, Vec<u8>),
}

impl Http {
    pub(crate) fn new(
        target: SocketAddr,
        check: &HttpCheck,
        shared: &Shared,
    ) -> Result<Self, Failure> {
        let unusable = |what: &str, value: &str| {
            Failure::Other(format!("the check's {what} {value:?} cannot be sent"))
        };
        let method = Method::from_bytes(check.method.as_bytes())
            .map_err(|_| unusable("method", &check.method))?;
        let path: Uri = check.path.parse().map_err(|_| unusable("path", &check.path))?;
        // A proxy is asked for a whole address.
        if !check.path.starts_with('/') && !check.path.starts_with("http://") {
            return Err(unusable("path", &check.path));
        }
        let host = match &check.host {
            Some(host) => host.clone(),
            None => address_as_host(target, check.tls.is_some()),
        };
        let followed = check.follow_redirects > 0 && matches!(method, Method::GET | Method::HEAD);
        let redirects = followed.then(|| Redirects::new(target, check, &host)).transpose()?;
        let first = Request {
            path,
            host: HeaderValue::from_str(&host).map_err(|_| unusable("host", &host))?,
            tls: check
                .tls
                .as_ref()
                .map(|tls| tls::Side::new(target.ip(), check.host.as_deref(), tls))
                .transpose()?,
        };
        Ok(Self {
            method,
            first,
            status: check.status.clone(),
            expect: check.expect.as_ref().map(|expect| shared.pattern(expect)).transpose()?,
            digest: check.digest,
            redirects: redirects.map(Box::new),
        })
    }

    pub(super) async fn run(
        &self,
        target: SocketAddr,
        shared: &Shared,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        let stream = connect::reach(self.first.tls.as_ref(), target, shared, trace).await?;
        match (self.talk(&self.first, stream, trace).await?, &self.redirects) {
            (Answer::Good(seen), _) => Ok(seen),
            (Answer::Elsewhere(_, location), Some(redirects)) => {
                redirects.follow(self, location, shared, trace).await
            }
            (Answer::Elsewhere(got, _), None) => Err(self.bad(got)),
        }
    }

    /// The connection is driven here, beside the exchange: a check is one task and no more.
    async fn talk(
        &self,
        request: &Request,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        trace: &mut Trace,
    ) -> Result<Answer, Failure> {
        trace.enter(Phase::Answer);
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD_LIMIT)
            // Old servers say such things, and every browser understands them.
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true)
            .handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
            .await
            .map_err(|error| words(&error))?;
        let mut connection = pin!(connection);
        let request = self.request(request)?;
        let mut exchange = pin!(async {
            let answer = sender.send_request(request).await.map_err(|error| words(&error))?;
            self.judge(answer, trace).await
        });
        tokio::select! {
            biased;
            outcome = &mut exchange => outcome,
            ended = &mut connection => match ended {
                // What the connection had read is still to be judged.
                Ok(()) => exchange.await,
                Err(error) => Err(words(&error)),
            },
        }
    }

    fn request(&self, request: &Request) -> Result<hyper::Request<Empty<Bytes>>, Failure> {
        hyper::Request::builder()
            .method(self.method.clone())
            .uri(request.path.clone())
            .header(HOST, request.host.clone())
            .header(USER_AGENT, HeaderValue::from_static("caribe-nanny"))
            .header(CONNECTION, HeaderValue::from_static("close"))
            .body(Empty::new())
            .map_err(|error| Failure::Other(format!("the request cannot be made: {error}")))
    }

    async fn judge(
        &self,
        answer: hyper::Response<Incoming>,
        trace: &mut Trace,
    ) -> Result<Answer, Failure> {
        let got = answer.status().as_u16();
        if !self.is_good(got) {
            return match answer.headers().get(LOCATION) {
                Some(location) if redirect::is_one(got) => {
                    Ok(Answer::Elsewhere(got, location.as_bytes().to_vec()))
                }
                _ => Err(self.bad(got)),
            };
        }
        trace.enter(Phase::Body);
        self.read(answer.into_body()).await?;
        Ok(Answer::Good(match got {
            200 => Cow::Borrowed("status 200"),
            got => format!("status {got}").into(),
        }))
    }

    async fn read(&self, mut incoming: Incoming) -> Result<(), Failure> {
        let wrong = |mismatch| Failure::Mismatch { subject: "body", mismatch };
        let mut body = Body::new(self.expect.as_deref(), self.digest);
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| words(&error))?;
            let Some(data) = frame.data_ref() else { continue };
            match body.push(data) {
                Progress::Matched => return Ok(()),
                Progress::Failed(mismatch) => return Err(wrong(mismatch)),
                Progress::More => {}
            }
        }
        body.end().map_err(wrong)
    }

    fn is_good(&self, status: u16) -> bool {
        if self.status.is_empty() {
            return (200..=299).contains(&status);
        }
        self.status.iter().any(|(low, high)| (*low..=*high).contains(&status))
    }

    fn bad(&self, got: u16) -> Failure {
        Failure::Status { got, wanted: self.good_status() }
    }

    fn good_status(&self) -> String {
        if self.status.is_empty() {
            return "200-299".to_owned();
        }
        let ranges: Vec<String> = self
            .status
            .iter()
            .map(|(low, high)| if low == high { low.to_string() } else { format!("{low}-{high}") })
            .collect();
        ranges.join(", ")
    }
}

/// A `Host` header for a server without a name; the scheme's own port is left out.
fn address_as_host(target: SocketAddr, tls: bool) -> String {
    let usual = if tls { 443 } else { 80 };
    if target.port() != usual {
        return target.to_string();
    }
    match target {
        SocketAddr::V4(target) => target.ip().to_string(),
        SocketAddr::V6(target) => format!("[{}]", target.ip()),
    }
}

/// When a connection was closed that should have brought an answer.
const INCOMPLETE: &str = "before the answer was complete";

/// What an error of hyper means.
fn words(error: &hyper::Error) -> Failure {
    use std::error::Error;
    if error.is_parse_too_large() {
        return Failure::Other(format!("the head of the answer is above {HEAD_LIMIT} bytes"));
    }
    if error.is_parse() {
        return Failure::Other("the answer is not HTTP".to_owned());
    }
    if error.is_incomplete_message() {
        return Failure::Closed(INCOMPLETE);
    }
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return tls::io_failure(io, INCOMPLETE);
        }
        source = cause.source();
    }
    Failure::Other(format!("HTTP failed: {error}"))
}
