//! A program that knows how to ask.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use config::model::Expect;
use health::asked::by_status;
use health::escape::show;
use health::expect::{Ask, Pattern, Progress};
use runtime::group::Group;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use crate::failure::{Failure, Seen};
use crate::shared::Shared;
use crate::trace::Trace;

/// Bytes of output that are looked at. The rest is read and thrown away, so that a talkative
/// program does not get stuck.
const OUTPUT_LIMIT: usize = 4 << 10;

/// Bytes of output that are passed on where that is wanted.
const PRINTED: usize = 512;

/// How long the output is read after the program has ended. It normally ends at once; a process
/// that was left behind may keep it open.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Where programs are looked for that are named without a folder.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The check.
#[derive(Debug)]
pub(crate) struct External {
    program: String,
    arguments: Vec<String>,
    expect: Option<Arc<Pattern>>,
    /// A good result is what the program printed.
    pub(super) prints: bool,
    /// A status from 2 on is good, and asks for a weight.
    pub(super) sets_weight: bool,
}

impl External {
    pub(crate) fn new(
        argv: &[String],
        server: SocketAddr,
        virtual_server: Option<SocketAddr>,
        expect: Option<&Expect>,
        shared: &Shared,
    ) -> Result<Self, Failure> {
        let mut words = argv.iter().map(|word| fill_in(word, server, virtual_server));
        let Some(program) = words.next().filter(|program| !program.is_empty()) else {
            return Err(Failure::Other("the check names no program".to_owned()));
        };
        let expect = expect.map(|expect| shared.pattern(expect)).transpose()?;
        Ok(Self { program, arguments: words.collect(), expect, prints: false, sets_weight: false })
    }

    /// The program and all it started die with the future that runs it.
    pub(super) async fn run(&self, trace: &mut Trace) -> Result<Seen, Failure> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().env("PATH", SEARCH_PATH).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| self.not_started(error))?;
        let mut output = Output::new(child.stdout.take());
        let mut errors = Output::new(child.stderr.take());
        let group = Group::of(&child);
        let status = {
            let reading = async {
                tokio::join!(output.read(), errors.read());
                std::future::pending().await
            };
            tokio::select! {
                status = child.wait() => status?,
                never = reading => never,
            }
        };
        group.ended();
        let _cut_off = timeout(LAST_WORDS, async {
            tokio::join!(output.read(), errors.read());
        })
        .await;
        trace.asks(status.code().filter(|_| self.sets_weight).and_then(by_status));
        self.judge(status, &output.kept, &errors.kept)
    }

    fn not_started(&self, error: std::io::Error) -> Failure {
        if error.kind() == std::io::ErrorKind::WouldBlock {
            return Failure::Here(error);
        }
        match Failure::from(error) {
            Failure::Network(error) => {
                Failure::Other(format!("{} cannot be started: {error}", self.program))
            }
            ours => ours,
        }
    }

    /// Everything but status 0 is a failure, unless others ask for a weight: a program that is
    /// killed, hangs or is missing must never make a server look well.
    pub(crate) fn judge(
        &self,
        status: ExitStatus,
        output: &[u8],
        errors: &[u8],
    ) -> Result<Seen, Failure> {
        if let Some(signal) = status.signal() {
            return Err(Failure::Other(format!("program killed by signal {signal}")));
        }
        let code = status.code().unwrap_or(-1);
        let asked = by_status(code).filter(|_| self.sets_weight);
        if !status.success() && asked.is_none() {
            let words = first_line(output).or_else(|| first_line(errors));
            return Err(Failure::Other(match words {
                Some(words) => format!("program ended with status {code}: {words}"),
                None => format!("program ended with status {code}"),
            }));
        }
        if self.prints {
            let printed = output.get(..PRINTED).unwrap_or(output);
            return Ok(Cow::Owned(String::from_utf8_lossy(printed).into_owned()));
        }
        let Some(pattern) = &self.expect else {
            return Ok(match asked {
                None => Cow::Borrowed("program ended with status 0"),
                Some(weight) => format!("program ended with status {code}, weight {weight}").into(),
            });
        };
        let wrong = |mismatch| Failure::Mismatch { subject: "output", mismatch };
        let mut matcher = pattern.matcher(OUTPUT_LIMIT, Ask::AtEnd);
        match matcher.push(output) {
            Progress::Matched => {}
            Progress::Failed(mismatch) => return Err(wrong(mismatch)),
            Progress::More => matcher.end().map_err(wrong)?,
        }
        Ok(Cow::Borrowed("expected output"))
    }
}

/// Puts addresses and ports in the place of `%h %p %H %P`; `%%` is a percent sign. Whatever is
/// put in stays one argument.
fn fill_in(word: &str, server: SocketAddr, virtual_server: Option<SocketAddr>) -> String {
    let mut filled = String::with_capacity(word.len());
    let mut rest = word.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            filled.push(character);
            continue;
        }
        match rest.next() {
            Some('h') => filled.push_str(&server.ip().to_string()),
            Some('p') => filled.push_str(&server.port().to_string()),
            Some('H') => filled.push_str(
                &virtual_server
                    .map(|address| address.ip())
                    .as_ref()
                    .map_or_else(String::new, IpAddr::to_string),
            ),
            Some('P') => {
                let port = virtual_server.map_or(0, |address| address.port());
                filled.push_str(&port.to_string());
            }
            Some('%') => filled.push('%'),
            Some(other) => filled.extend(['%', other]),
            None => filled.push('%'),
        }
    }
    filled
}

fn first_line(text: &[u8]) -> Option<String> {
    let line =
        text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty())?;
    Some(show(line))
}

/// One stream of a program's output.
struct Output<R> {
    stream: Option<R>,
    kept: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Output<R> {
    fn new(stream: Option<R>) -> Self {
        Self { stream, kept: Vec::new() }
    }

    /// Reads to the end. May be dropped and called again without losing a byte.
    async fn read(&mut self) {
        let mut piece = [0; 1 << 10];
        while let Some(stream) = &mut self.stream {
            let length = stream.read(&mut piece).await.unwrap_or(0);
            if length == 0 {
                self.stream = None;
            }
            let room = OUTPUT_LIMIT - self.kept.len();
            let piece = piece.get(..length).unwrap_or_default();
            self.kept.extend_from_slice(piece.get(..room).unwrap_or(piece));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_in_within_words() {
        let server = "192.0.2.4:8080".parse().unwrap();
        let virtual_server = Some("[2001:db8::1]:80".parse().unwrap());
        let fill = |word| fill_in(word, server, virtual_server);
        assert_eq!(fill("%h"), "192.0.2.4");
        assert_eq!(fill("--url=http://%h:%p/"), "--url=http://192.0.2.4:8080/");
        assert_eq!(fill("%H %P"), "2001:db8::1 80");
        assert_eq!(fill("100%% %z %"), "100% %z %");
        assert_eq!(fill_in("%H:%P", server, None), ":0");
    }

    #[test]
    fn the_first_line_with_words_is_shown() {
        assert_eq!(first_line(b"\n  disk full \nmore"), Some("\"disk full\"".to_owned()));
        assert_eq!(first_line(b"\n \n"), None);
    }
}
