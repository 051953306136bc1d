//! The services that ldirectord can ask, as dialogues.

use ipvs::Protocol;

use super::checks::{Plan, REDIRECTS, Text};
use super::values::Report;
use crate::foreign::path;
use crate::foreign::report::Reporter;
use crate::model::{CheckKind, Dialogue, DnsCheck, Exchange, Expect, HttpCheck, Tls};

/// Without `login` ldirectord takes this name and its own host's, which a checker cannot know.
const SIP_USER: &str = "ldirectord@localhost";

/// A program of one's own does what a check of ours cannot.
const EXTERNAL: &str = "`checktype = external` runs a check of your own";

/// A line protocol's whole answer whose last line begins with this code.
fn code(code: &str) -> Option<Expect> {
    Some(Expect::Regex(format!(r"(?m)^{code}(?: .*)?\r?\n")))
}

fn pattern(text: &str) -> Option<Expect> {
    Some(Expect::Regex(text.to_owned()))
}

/// Waits for the server, which speaks first.
fn greeting(expect: Option<Expect>) -> Exchange {
    Exchange { send: None, expect }
}

fn say(text: &str, expect: Option<Expect>) -> Exchange {
    Exchange { send: Some(text.as_bytes().to_vec()), expect }
}

fn bytes(send: Vec<u8>, expect: Option<Expect>) -> Exchange {
    Exchange { send: Some(send), expect }
}

impl Plan<'_> {
    /// A service other than the web, as far as it can be asked.
    pub(super) fn service(
        &self,
        report: &mut Report<'_>,
        request: Option<&Text>,
        receive: Option<&Text>,
        expect: Option<Expect>,
    ) -> CheckKind {
        if let Some(service) = self.login_service(report, request, receive, expect.clone()) {
            return self.logs_in(report, service);
        }
        self.name_login(report);
        let steps = match self.service {
            "dns" => return self.dns(report, request, expect),
            "sip" => return self.sip(),
            _ if self.protocol == Some(Protocol::Udp) => return self.plainer(report),
            "smtp" | "submission" => vec![
                greeting(code("220")),
                say("EHLO localhost.localdomain\r\n", code("250")),
                say("QUIT\r\n", None),
            ],
            "pop" | "pops" => {
                vec![greeting(pattern(r"^\+OK.*\n")), say("QUIT\r\n", pattern(r"^\+OK"))]
            }
            "imap" | "imaps" => vec![
                greeting(pattern(r"^\* (?:OK|PREAUTH).*\n")),
                say("a1 LOGOUT\r\n", pattern(r"(?m)^(?:\* BYE|a1 OK)")),
            ],
            "nntp" => vec![greeting(Some(Expect::Prefix(b"2".to_vec()))), say("QUIT\r\n", None)],
            "mysql" => {
                self.no_query(report);
                // A packet of three bytes of length and the number 0: version 9 or 10 of the
                // protocol; a server that refuses us sends 255 there.
                vec![greeting(pattern(r"(?s-u)^...\x00[\x09\x0a]"))]
            }
            "pgsql" => {
                self.no_query(report);
                // "Do you speak TLS?", to which each version says S or N.
                vec![bytes(vec![0, 0, 0, 8, 4, 210, 22, 47], pattern("^[SN]"))]
            }
            _ => return self.plainer(report),
        };
        CheckKind::Dialogue(Dialogue { tls: self.tls(report), steps })
    }

    /// TLS from the first byte on, with the services whose name says so.
    pub(super) fn tls(&self, report: &mut Report<'_>) -> Option<Tls> {
        matches!(self.service, "pops" | "imaps" | "ldaps").then(|| self.no_verify(report))
    }

    /// TLS as ldirectord has it.
    pub(super) fn no_verify(&self, report: &mut Report<'_>) -> Tls {
        let message = "certificates are not verified, as in ldirectord";
        let help = "take `lvsctl convert` and remove `verify: false` to have them verified";
        report.warning(self.service_span, message, help);
        Tls { verify: false, ca_file: None, name: None }
    }

    /// A login that nothing is done with.
    fn name_login(&self, report: &mut Report<'_>) {
        if let Some(login) =
            self.login.filter(|_| matches!(self.service, "dns" | "nntp" | "oracle"))
        {
            let message = format!("no login is tried with {} here", self.service);
            report.warning(&login.span, message, format!("it is not needed; {EXTERNAL}"));
        }
    }

    fn no_query(&self, report: &mut Report<'_>) {
        let message = format!("{} is asked nothing without `login` and `request`", self.service);
        let help =
            "the server has to greet in its own protocol; ldirectord itself takes it for down";
        report.warning(self.service_span, message, help);
    }

    /// The name that a name server is asked for. Without an answer to expect ldirectord would
    /// never take a server for well; here any answer will do.
    fn dns(
        &self,
        report: &mut Report<'_>,
        request: Option<&Text>,
        expect: Option<Expect>,
    ) -> CheckKind {
        let name = request.map(|request| request.text.trim_start_matches('/'));
        match name.filter(|name| !name.is_empty()) {
            Some(name) => CheckKind::Dns(DnsCheck {
                name: name.to_owned(),
                tcp: self.protocol == Some(Protocol::Tcp),
                expect,
            }),
            None => {
                let kind = self.connect();
                let message = "nothing says which name the name server is asked for";
                let help = "it is only asked whether it is there; write `request = \"www.example.com\"`, and `receive` with its address";
                report.warning(self.service_span, message, help);
                kind
            }
        }
    }

    fn sip(&self) -> CheckKind {
        let udp = self.protocol != Some(Protocol::Tcp);
        let way = if udp { "UDP" } else { "TCP" };
        let user = self.login.map_or(SIP_USER, |login| login.text.as_str());
        let send = format!(
            "OPTIONS sip:{user} SIP/2.0\r\nVia: SIP/2.0/{way} localhost;rport;branch=z9hG4bKcheck\r\n\
             Max-Forwards: 70\r\nTo: <sip:{user}>\r\nFrom: <sip:{user}>;tag=check\r\n\
             Call-ID: check\r\nCSeq: 1 OPTIONS\r\nContact: <sip:{user}>\r\n\
             Accept: application/sdp\r\nContent-Length: 0\r\n\r\n"
        );
        let expect = Some(Expect::Prefix(b"SIP/2.0 200".to_vec()));
        CheckKind::SendExpect { udp, send: Some(send.into_bytes()), expect }
    }

    /// A proxy is asked for a whole address.
    pub(super) fn proxy(
        &self,
        report: &mut Report<'_>,
        request: Option<&Text>,
        expect: Option<Expect>,
    ) -> CheckKind {
        let text = request.map_or("/", |request| request.text.as_str());
        let whole =
            text.strip_prefix('/').filter(|rest| rest.starts_with("http://")).unwrap_or(text);
        let path = match self.host {
            _ if whole.starts_with("http://") => whole.to_owned(),
            Some(host) => {
                format!("http://{host}{}{text}", if text.starts_with('/') { "" } else { "/" })
            }
            None => {
                let span = request.map_or(self.service_span, |request| &request.span);
                let help = "write `request = \"http://www.example.com/\"`, or a `virtualhost`";
                report.error(span, "a proxy has to be asked for a whole address", help);
                "/".to_owned()
            }
        };
        let named = path.strip_prefix("http://").and_then(|rest| rest.split('/').next());
        CheckKind::Http(HttpCheck {
            tls: None,
            method: self.method.to_owned(),
            host: named.map(str::to_owned),
            path: path::encoded(&path),
            status: Vec::new(),
            follow_redirects: REDIRECTS,
            expect,
            digest: None,
        })
    }

    /// A service that we cannot talk to is at least asked whether it is there.
    fn plainer(&self, report: &mut Report<'_>) -> CheckKind {
        let (kind, what) = match self.connect() {
            CheckKind::Ping => (CheckKind::Ping, "a ping has to be answered"),
            kind => (kind, "a TCP connection has to open"),
        };
        let message = match self.service {
            "oracle" => "the protocol of oracle is closed: nobody logs in there".to_owned(),
            "radius" => "radius is asked nothing without `login` and `secret`".to_owned(),
            service => format!("there is no {service} check here"),
        };
        report.warning(self.service_span, message, format!("{what}; {EXTERNAL}"));
        kind
    }
}
