//! A request as the daemon sees it, and its answer.

use control::action::Failure;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, StatusCode, Uri};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Peer;

/// A permitted request.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`.
    pub method: Method,
    /// `/v1/status`.
    pub path: String,
    /// Names and values after the question mark, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// The body, at most [`MAX_BODY`](super::MAX_BODY) bytes.
    pub body: Bytes,
    /// Who asks.
    pub peer: Peer,
}

impl Request {
    pub(super) fn new(method: Method, uri: &Uri, body: Bytes, peer: Peer) -> Self {
        let query = uri.query().map(decode_query).unwrap_or_default();
        Self { method, path: uri.path().to_owned(), query, body, peer }
    }

    /// The first value of this name in the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; an empty one counts as `{}`. The error is the answer to give.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Response> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| {
            Response::failure(
                StatusCode::BAD_REQUEST,
                format!("the request's body cannot be understood: {error}"),
            )
        })
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status.
    pub status: StatusCode,
    /// `application/json`.
    pub content_type: &'static str,
    /// Body.
    pub body: Bytes,
}

impl Response {
    /// 200 with JSON.
    pub fn json<T: Serialize>(value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => {
                Self { status: StatusCode::OK, content_type: "application/json", body: body.into() }
            }
            Err(error) => Self::failure(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("the answer cannot be written: {error}"),
            ),
        }
    }

    /// 200 with text; Prometheus wants `text/plain; version=0.0.4`, which this says.
    pub fn text(text: String) -> Self {
        Self {
            status: StatusCode::OK,
            content_type: "text/plain; version=0.0.4; charset=utf-8",
            body: text.into(),
        }
    }

    /// A failure: what was tried, why it failed, what to do next.
    pub fn failure(status: StatusCode, error: impl Into<String>) -> Self {
        let failure = Failure { error: error.into() };
        // A struct of one string always has a JSON form.
        let body = serde_json::to_vec(&failure).unwrap_or_default();
        Self { status, content_type: "application/json", body: body.into() }
    }

    /// 404: nothing is there.
    pub fn not_found(path: &str) -> Self {
        Self::failure(StatusCode::NOT_FOUND, format!("there is nothing at {path}"))
    }

    pub(super) fn into_http(self) -> hyper::Response<Full<Bytes>> {
        let mut response = hyper::Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let content_type = HeaderValue::from_static(self.content_type);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
    }
}

fn decode_query(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Percent-encoding undone (RFC 3986, section 2.1); what is not an encoding stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let encoded = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = encoded {
            bytes.push(high << 4 | low);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(if first == b'+' { b' ' } else { first });
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_and_nonsense_is_left_alone() {
        assert_eq!(
            decode_query("server=%5B2001:db8::1%5D:80&why=disk+full&x&&y=100%&z=%zz"),
            [
                ("server", "[2001:db8::1]:80"),
                ("why", "disk full"),
                ("x", ""),
                ("y", "100%"),
                ("z", "%zz")
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
