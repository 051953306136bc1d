//! The real servers: each speaks everything that ldirectord can ask for.

use lab::talk::{self, Manner, Talker};
use lab::{Daemon, Node, Outcome, WebServer};

const KEY: &str = "/etc/tls.key";
const CERTIFICATE: &str = "/etc/tls.crt";
const TALKERS: [(u16, Manner); 9] = [
    (21, Manner::Stream(talk::files)),
    (25, Manner::Stream(talk::mail_in)),
    (53, Manner::Datagram(talk::name_server)),
    (110, Manner::Stream(talk::mail_out)),
    (119, Manner::Stream(talk::news)),
    (143, Manner::Stream(talk::mailbox)),
    (389, Manner::Stream(talk::directory)),
    (5060, Manner::Datagram(talk::telephone)),
    (7777, Manner::Stream(talk::echo)),
];

/// One real server with all its programs.
pub(super) struct Server {
    node: Node,
    web: Vec<WebServer>,
    talkers: Vec<Talker>,
    tls: Option<Daemon>,
    well: bool,
}

impl Server {
    /// Starts all programs.
    pub(super) fn start(node: Node, certificate: &Certificate) -> Outcome<Self> {
        node.write(KEY, &certificate.key)?;
        node.write(CERTIFICATE, &certificate.text)?;
        let web = [80, 8080].map(|port| WebServer::start(&node, port));
        let talkers = TALKERS.map(|(port, manner)| Talker::start(&node, port, manner));
        let tls = Some(tls(&node)?);
        Ok(Self {
            web: web.into_iter().collect::<Outcome<_>>()?,
            talkers: talkers.into_iter().collect::<Outcome<_>>()?,
            tls,
            node,
            well: true,
        })
    }

    /// All its programs die, and it answers no ping; or all return.
    pub(super) fn set(&mut self, well: bool) -> Outcome {
        if std::mem::replace(&mut self.well, well) == well {
            return Ok(());
        }
        let silent = if well { "0" } else { "1" };
        for family in ["ipv4/icmp_echo_ignore_all", "ipv6/icmp/echo_ignore_all"] {
            self.node.namespace().sysctl(&format!("net/{family}"), silent)?;
        }
        if well {
            self.web.iter_mut().try_for_each(WebServer::open)?;
            self.talkers.iter_mut().try_for_each(Talker::open)?;
            self.tls = Some(tls(&self.node)?);
        } else {
            self.web.iter_mut().try_for_each(WebServer::close)?;
            self.talkers.iter_mut().try_for_each(Talker::close)?;
            self.tls = None;
        }
        Ok(())
    }
}

/// A key and a certificate for it that nobody vouches for.
pub(super) struct Certificate {
    key: String,
    text: String,
}

impl Certificate {
    /// Makes both on a host.
    pub(super) fn new(node: &Node) -> Outcome<Self> {
        let make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
                    -subj /CN=www.example.com -days 2";
        let words: Vec<&str> =
            make.split_whitespace().chain(["-keyout", KEY, "-out", CERTIFICATE]).collect();
        node.execute(&words)?;
        Ok(Self { key: node.read(KEY)?, text: node.read(CERTIFICATE)? })
    }
}

fn tls(node: &Node) -> Outcome<Daemon> {
    let words = ["-accept", "443", "-www", "-key", KEY, "-cert", CERTIFICATE];
    node.start(&[&["openssl", "s_server"], words.as_slice()].concat())
}
