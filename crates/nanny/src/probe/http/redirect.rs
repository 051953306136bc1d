//! The pages that an answer leads to: each is asked of the same server, on a connection of its own.

use std::net::SocketAddr;

use config::model::{HttpCheck, Tls};
use health::redirect::{Page, Start, Trail};
use hyper::Uri;
use hyper::header::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Answer, Http, Request};
use crate::failure::{Failure, Seen};
use crate::probe::{connect, tls};
use crate::shared::Shared;
use crate::trace::Trace;

/// How the redirects of one check are followed.
#[derive(Debug)]
pub(super) struct Redirects {
    start: Start,
    tls: Tls,
}

/// Plain HTTP has proved nothing of the server, and HTTPS behind it has not to prove more.
const ANY_CERTIFICATE: Tls = Tls { verify: false, ca_file: None, name: None };

/// Whether an answer of this status leads to another page.
pub(super) fn is_one(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

impl Redirects {
    /// With the `Host` header of the first request.
    pub(super) fn new(target: SocketAddr, check: &HttpCheck, host: &str) -> Result<Self, Failure> {
        let proxy = check.path.starts_with("http://");
        let page = if proxy {
            Page::parse(&check.path)
        } else {
            Page::new(check.tls.is_some(), host, &check.path)
        };
        let unusable = |lost| Failure::Other(format!("the check asks for {host:?}, {lost}"));
        Ok(Self {
            start: Start {
                page: page.map_err(unusable)?,
                server: target,
                named: check.host.is_some(),
                proxy,
                verified: check.tls.as_ref().is_some_and(|tls| tls.verify),
                most: check.follow_redirects,
            },
            tls: check.tls.clone().unwrap_or(ANY_CERTIFICATE),
        })
    }

    /// Goes on from an answer with this `Location` to one that is good or bad. The limit of the
    /// check holds over all of it.
    pub(super) async fn follow(
        &self,
        http: &Http,
        mut location: Vec<u8>,
        shared: &Shared,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        let mut trail = Trail::new(&self.start);
        let mut count = 0_u8;
        loop {
            let page = self.next(&mut trail, &location)?;
            count = count.saturating_add(1);
            match self.ask(http, page, shared, trace).await.map_err(|failure| at(page, failure))? {
                Answer::Elsewhere(_, next) => location = next,
                Answer::Good(seen) => {
                    let plural = if count == 1 { "" } else { "s" };
                    return Ok(format!("{seen} after {count} redirect{plural}").into());
                }
            }
        }
    }

    fn next<'t>(&self, trail: &'t mut Trail<'_>, location: &[u8]) -> Result<&'t Page, Failure> {
        trail.follow(location).map_err(|(to, lost)| Failure::Redirected {
            to,
            why: Box::new(Failure::Other(lost.to_string())),
        })
    }

    async fn ask(
        &self,
        http: &Http,
        page: &Page,
        shared: &Shared,
        trace: &mut Trace,
    ) -> Result<Answer, Failure> {
        let server = self.start.server_of(page);
        let request = self.request(page, server)?;
        let stream = connect::reach(request.tls.as_ref(), server, shared, trace).await?;
        http.talk(&request, stream, trace).await
    }

    fn request(&self, page: &Page, server: SocketAddr) -> Result<Request, Failure> {
        let unusable = || Failure::Other("which cannot be asked for".to_owned());
        let path = if self.start.proxy { page.to_string() } else { page.path.clone() };
        let host = page.authority();
        let name = page.address().is_none().then_some(host.as_str());
        let side = || tls::Side::new(server.ip(), name, &self.tls);
        Ok(Request {
            path: path.parse::<Uri>().map_err(|_| unusable())?,
            host: HeaderValue::from_str(&host).map_err(|_| unusable())?,
            tls: page.tls.then(side).transpose()?,
        })
    }
}

fn at(page: &Page, why: Failure) -> Failure {
    let to = health::escape::show(page.to_string().as_bytes());
    Failure::Redirected { to, why: Box::new(why) }
}

impl Http {
    /// The answer on a connection that is there already. Where it leads elsewhere, nobody is asked.
    pub(crate) async fn answer(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        match (self.talk(&self.first, stream, trace).await?, &self.redirects) {
            (Answer::Good(seen), _) => Ok(seen),
            (Answer::Elsewhere(_, location), Some(redirects)) => {
                let mut trail = Trail::new(&redirects.start);
                let page = redirects.next(&mut trail, &location)?;
                redirects.request(page, redirects.start.server_of(page))?;
                Err(at(page, Failure::Other("which nobody is asked for".to_owned())))
            }
            (Answer::Elsewhere(got, _), None) => Err(self.bad(got)),
        }
    }
}
