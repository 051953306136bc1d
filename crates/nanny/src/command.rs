//! `nanny check`: one check by hand.

mod login;
mod target;

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use config::model::{Check, CheckKind, Expect, HttpCheck, Tls};
use health::escape::unescape;
use runtime::{Exit, ExitError, raw_sockets};

use crate::failure::{Failure, Seen};
use crate::probe::Probe;
use crate::shared::Shared;
use crate::trace::Trace;
use target::{Scheme, Target};

/// Exit code of a server that is not well.
pub const DOWN: u8 = 1;

/// What to check and how.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// tcp://192.0.2.4:80, udp://192.0.2.4:53, http://192.0.2.4/.testpage, https://…,
    /// ping://192.0.2.4, exec:/path/to/program, or, to log in, pop://anna@192.0.2.4, pops://…,
    /// imap://…, imaps://…, ftp://192.0.2.4/file, ldap://192.0.2.4/dc=example, ldaps://…,
    /// radius://…, mysql://192.0.2.4/database, postgresql://…
    target: String,
    /// Arguments of a program; %h %p %H %P stand for addresses and ports
    arguments: Vec<String>,
    /// Text to send; knows \r \n \t \0 \\ \xNN
    #[arg(long)]
    send: Option<String>,
    /// Text that the answer must begin with (tcp, udp) or hold (http, exec, ftp, ldap); * is any
    /// answer
    #[arg(long)]
    expect: Option<String>,
    /// The expected text is a regular expression
    #[arg(long, requires = "expect")]
    regex: bool,
    /// Limit for the whole check, as 500ms, 3s or 1m
    #[arg(long, default_value = "3s", value_parser = duration)]
    timeout: Duration,
    /// Path of the request, instead of the target's
    #[arg(long)]
    path: Option<String>,
    /// Method of the request
    #[arg(long, default_value = "GET")]
    method: String,
    /// Host header, and name in the TLS handshake
    #[arg(long)]
    host: Option<String>,
    /// Good status, such as 200 or 200-399; may be given several times
    #[arg(long, value_parser = status)]
    status: Vec<(u16, u16)>,
    /// Redirects that are followed at most, on the same server
    #[arg(long, default_value = "0", value_name = "COUNT", value_parser = clap::value_parser!(u8).range(..=20))]
    redirects: u8,
    /// Take any certificate
    #[arg(long)]
    insecure: bool,
    /// File with authorities, instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<String>,
    /// Real server, for the placeholders of a program
    #[arg(long, value_name = "ADDRESS:PORT")]
    server: Option<SocketAddr>,
    /// Virtual server, for the placeholders of a program
    #[arg(long, value_name = "ADDRESS:PORT")]
    virtual_server: Option<SocketAddr>,
    #[command(flatten)]
    login: login::LoginOptions,
}

/// Runs it: 0 when the server is well, 1 when it is not, 64 for a command that makes no sense.
pub fn run(options: Options) -> ExitCode {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => match runtime.block_on(check(options)) {
            Ok(code) => code,
            Err(error) => fail(&error),
        },
        Err(error) => fail(&ExitError::internal(format!("cannot start the event loop: {error}"))),
    }
}

/// A command line that clap refused, or a call for help.
pub fn usage(error: &clap::Error) -> ExitCode {
    // Nothing can be done when the terminal is gone.
    let _printed = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

fn fail(error: &ExitError) -> ExitCode {
    let _printed = writeln!(std::io::stderr(), "nanny: {error}");
    error.exit.into()
}

async fn check(options: Options) -> Result<ExitCode, ExitError> {
    let target = Target::parse(&options.target)?;
    let check = options.as_check(&target)?;
    let server = match target.scheme {
        Scheme::Exec => options.server.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
        _ => target.resolve().await?,
    };
    // What may not be opened is missing when it is needed.
    let mut sockets: Vec<_> = raw_sockets::icmp().into_iter().flatten().collect();
    sockets.extend(raw_sockets::packet().into_iter().flatten());
    let shared = Arc::new(Shared::new(sockets));
    let probe = Probe::new(server, options.virtual_server, &check, &shared);
    let mut trace = Trace::timed();
    let outcome = probe.run(&shared, &mut trace).await;
    // Nothing can be done when the terminal is gone.
    let _printed = print(&options.target, server, &target.scheme, &outcome, trace);
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(DOWN) })
}

fn print(
    target: &str,
    server: SocketAddr,
    scheme: &Scheme,
    outcome: &Result<Seen, Failure>,
    trace: Trace,
) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if *scheme == Scheme::Exec {
        writeln!(out, "{target}")?;
    } else {
        writeln!(out, "{target} at {server}")?;
    }
    let times = trace.times();
    let all: Duration = times.iter().map(|(_, took)| *took).sum();
    for (phase, took) in times {
        writeln!(out, "  {:<14}{:>10.3} ms", phase.name(), milliseconds(took))?;
    }
    writeln!(out, "  {:<14}{:>10.3} ms", "in all", milliseconds(all))?;
    match outcome {
        Ok(seen) => writeln!(out, "up: {seen}"),
        Err(failure) => writeln!(out, "down: {failure}"),
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

impl Options {
    fn as_check(&self, target: &Target) -> Result<Check, ExitError> {
        let kind = match target.scheme {
            Scheme::Ping => CheckKind::Ping,
            Scheme::Tcp if self.send.is_none() && self.expect.is_none() => CheckKind::Connect,
            Scheme::Tcp | Scheme::Udp => CheckKind::SendExpect {
                udp: target.scheme == Scheme::Udp,
                send: self.send.as_deref().map(bytes).transpose()?,
                expect: self.expected(Expect::Prefix)?,
            },
            Scheme::Http | Scheme::Https => CheckKind::Http(self.as_http(target)?),
            Scheme::Exec => CheckKind::External {
                argv: [&target.host].into_iter().chain(&self.arguments).cloned().collect(),
                expect: self.expected(Expect::Contains)?,
                sets_weight: false,
            },
            Scheme::Login(service, tls) => {
                let expect = self.expected(Expect::Contains)?;
                let tls = (tls || self.login.tls).then(|| self.as_tls(self.host.clone()));
                CheckKind::Login(Box::new(self.login.check(service, target, tls, expect)?))
            }
        };
        if target.scheme != Scheme::Exec && !self.arguments.is_empty() {
            return Err(ExitError::usage("only exec:/path takes arguments"));
        }
        Ok(Check::plain(kind, self.timeout, self.timeout))
    }

    fn as_http(&self, target: &Target) -> Result<HttpCheck, ExitError> {
        Ok(HttpCheck {
            tls: (target.scheme == Scheme::Https).then(|| self.as_tls(None)),
            method: self.method.clone(),
            path: self.path.clone().unwrap_or_else(|| target.path.clone()),
            host: self.host.clone().or_else(|| target.host_header()),
            status: self.status.clone(),
            follow_redirects: self.redirects,
            expect: self.expected(Expect::Contains)?,
            digest: None,
        })
    }

    fn as_tls(&self, name: Option<String>) -> Tls {
        Tls { verify: !self.insecure, ca_file: self.ca_file.clone(), name }
    }

    fn expected(&self, plain: impl FnOnce(Vec<u8>) -> Expect) -> Result<Option<Expect>, ExitError> {
        Ok(match self.expect.as_deref() {
            None => None,
            Some(text) if self.regex => Some(Expect::Regex(text.to_owned())),
            Some("*") => Some(Expect::Anything),
            Some(text) => Some(plain(bytes(text)?)),
        })
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, ExitError> {
    unescape(text).map_err(|error| ExitError::usage(format!("{text:?}: {error}")))
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let wanted = || "write 500ms, 3s or 1m".to_owned();
    let number: u64 = number.parse().map_err(|_| wanted())?;
    let time = match unit {
        "ms" => Duration::from_millis(number),
        "s" | "" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.saturating_mul(60)),
        _ => return Err(wanted()),
    };
    if time.is_zero() { Err(wanted()) } else { Ok(time) }
}

fn status(text: &str) -> Result<(u16, u16), String> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let code = |text: &str| {
        text.parse()
            .ok()
            .filter(|code| (100..=999).contains(code))
            .ok_or_else(|| "write a status as 200, or a range as 200-299".to_owned())
    };
    Ok((code(low)?, code(high)?))
}
