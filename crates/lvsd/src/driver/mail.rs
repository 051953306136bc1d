//! Mails, over a mail server (RFC 5321): the one that is named, else that of this host. The local
//! sendmail comes last, as most of them reach their queue by a right that a sandbox takes away.

use std::process::Stdio;

use config::model::Mail;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

/// The local one.
const SENDMAIL: &str = "/usr/sbin/sendmail";

/// The mail server of this host.
const LOCAL: &str = "localhost:25";

/// Port of a mail server, when none is named.
const PORT: u16 = 25;

/// Bytes of a server's answer that are read.
const ANSWER: u64 = 16 << 10;

/// Why a mail did not go out.
#[derive(Debug, Error)]
pub(super) enum MailError {
    /// It cannot be reached, or went away.
    #[error("{0}: {1}")]
    Network(String, std::io::Error),
    /// It said no.
    #[error("the mail server answers {0:?} to {1}")]
    Refused(String, &'static str),
    /// Not one word.
    #[error("{0:?} is no mail address")]
    Address(String),
    /// It is not there, or failed.
    #[error("{SENDMAIL} {0}; name a mail server in the configuration")]
    Sendmail(String),
    /// No mail server on this host, and sendmail cannot work.
    #[error(
        "no mail server at {0} ({1}), and sendmail cannot reach its queue under NoNewPrivileges: \
         name a mail server in the configuration"
    )]
    Nobody(String, std::io::Error),
}

impl MailError {
    /// It may be over soon: the mail is worth another try. Answers that begin with a 4 say so.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Network(..) | Self::Nobody(..) => true,
            Self::Refused(answer, _) => answer.starts_with('4'),
            Self::Address(_) | Self::Sendmail(_) => false,
        }
    }
}

/// Those of the recipients whom the server refused, with its words; others have got the mail.
pub(super) type Refused = Vec<String>;

/// What takes the mails for which no server is named.
struct ThisHost<'a> {
    server: &'a str,
    sendmail: &'a str,
    /// Whether programs get the rights of their files' groups, as sendmail needs it.
    may_gain: bool,
}

impl ThisHost<'_> {
    async fn send(&self, mail: &Mail, from: &str, text: &str) -> Result<Refused, MailError> {
        match TcpStream::connect(self.server).await {
            Ok(stream) => talk(stream, mail, from, text).await,
            Err(_) if self.may_gain => {
                over_sendmail(self.sendmail, mail, from, text).await.map(|()| Refused::new())
            }
            Err(error) => Err(MailError::Nobody(self.server.to_owned(), error)),
        }
    }
}

/// Sends one mail.
pub(super) async fn send(mail: &Mail, lines: &[String]) -> Result<Refused, MailError> {
    let from = mail.from.clone().unwrap_or_else(|| format!("caribe@{}", host()));
    for address in mail.to.iter().chain([&from]) {
        let legal = |c: char| !(c.is_control() || c.is_whitespace() || matches!(c, '<' | '>'));
        if address.is_empty() || address.starts_with('-') || !address.chars().all(legal) {
            return Err(MailError::Address(address.clone()));
        }
    }
    let text = text(mail, &from, lines);
    let Some(server) = &mail.server else {
        let may_gain = !rustix::thread::no_new_privs().unwrap_or(true);
        let host = ThisHost { server: LOCAL, sendmail: SENDMAIL, may_gain };
        return host.send(mail, &from, &text).await;
    };
    let place = if server.contains(':') { server.clone() } else { format!("{server}:{PORT}") };
    let failed = |error| MailError::Network(format!("mail server {place}"), error);
    let stream = TcpStream::connect(&place).await.map_err(failed)?;
    talk(stream, mail, &from, &text).await
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// One line of head each, and the changes. A line that is a dot alone would end the mail early.
fn text(mail: &Mail, from: &str, lines: &[String]) -> String {
    let subject = match lines {
        [only] => only.clone(),
        several => format!("{} changes of real servers", several.len()),
    };
    let clean = |text: &str| text.replace(|c: char| c.is_control(), " ");
    let body: String = lines.iter().map(|line| format!("{}\r\n", clean(line))).collect();
    format!(
        "From: {from}\r\nTo: {}\r\nSubject: {}\r\nAuto-Submitted: auto-generated\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\nrouter: {}\r\n\r\n{body}",
        mail.to.join(", "),
        clean(&subject),
        host(),
    )
}

/// The dialogue with a mail server. Whom it refuses keeps the mail from nobody else.
async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    mail: &Mail,
    from: &str,
    text: &str,
) -> Result<Refused, MailError> {
    let mut server = Server(BufReader::new(stream.take(ANSWER)));
    server.heard("the connection", '2').await?;
    server.say(&format!("EHLO {}", host()), "EHLO", '2').await?;
    server.say(&format!("MAIL FROM:<{from}>"), "MAIL", '2').await?;
    let mut refused = Refused::new();
    for to in &mail.to {
        match server.say(&format!("RCPT TO:<{to}>"), "RCPT", '2').await {
            Err(MailError::Refused(answer, _)) if refused.len() + 1 < mail.to.len() => {
                refused.push(format!("{to}: {answer}"));
            }
            answer => answer?,
        }
    }
    server.say("DATA", "DATA", '3').await?;
    let safe = text.replace("\r\n.", "\r\n..");
    server.say(&format!("{safe}."), "the text", '2').await?;
    // It is sent; what is said at the end changes nothing.
    let _ = server.say("QUIT", "QUIT", '2').await;
    Ok(refused)
}

struct Server<S>(BufReader<tokio::io::Take<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> Server<S> {
    async fn say(&mut self, text: &str, what: &'static str, wanted: char) -> Result<(), MailError> {
        let failed = |error| MailError::Network("mail server".to_owned(), error);
        let stream = self.0.get_mut().get_mut();
        stream.write_all(format!("{text}\r\n").as_bytes()).await.map_err(failed)?;
        self.heard(what, wanted).await
    }

    /// Reads an answer to its last line, which has no `-` behind the code. Every line has the same.
    async fn heard(&mut self, what: &'static str, wanted: char) -> Result<(), MailError> {
        let failed = |error| MailError::Network("mail server".to_owned(), error);
        loop {
            let mut line = Vec::new();
            if self.0.read_until(b'\n', &mut line).await.map_err(failed)? == 0 {
                return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
            }
            if line.get(3) == Some(&b'-') {
                continue;
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            return if line.starts_with(wanted) {
                Ok(())
            } else {
                Err(MailError::Refused(line, what))
            };
        }
    }
}

/// sendmail takes the text as it is read, with ordinary ends of lines.
async fn over_sendmail(
    program: &str,
    mail: &Mail,
    from: &str,
    text: &str,
) -> Result<(), MailError> {
    let failed = |error: std::io::Error| MailError::Sendmail(format!("cannot be run: {error}"));
    let mut command = Command::new(program);
    command.args(["-i", "-f", from, "--"]).args(&mail.to).env_clear().current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(failed)?;
    let written = match child.stdin.take() {
        Some(mut input) => input.write_all(text.replace("\r\n", "\n").as_bytes()).await,
        None => Ok(()),
    };
    let status = child.wait().await.map_err(failed)?;
    if !status.success() {
        let ending = runtime::child::ending(status);
        return Err(MailError::Sendmail(format!("ended with {ending}")));
    }
    match written {
        // Whether it read to the end is its own matter: it says that it has taken the mail.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(failed(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> Mail {
        let server = None;
        Mail {
            to: vec!["a@x".into(), "b@x".into()],
            from: Some("me@x".into()),
            server,
            repeat: None,
        }
    }

    /// A mail server that gives these answers, and what it heard.
    async fn heard(
        answers: &'static [&'static str],
        lines: &[&str],
    ) -> (Result<Refused, String>, String) {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        let server = tokio::spawn(async move {
            let mut heard = Vec::new();
            for answer in answers {
                theirs.write_all(answer.as_bytes()).await.unwrap();
                let mut piece = [0; 4096];
                match theirs.read(&mut piece).await.unwrap() {
                    0 => break,
                    length => heard.extend_from_slice(&piece[..length]),
                }
            }
            String::from_utf8(heard).unwrap()
        });
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let text = text(&mail(), "me@x", &lines);
        let sent = talk(ours, &mail(), "me@x", &text).await.map_err(|error| error.to_string());
        (sent, server.await.unwrap())
    }

    #[tokio::test]
    async fn a_mail_is_handed_to_the_server_in_its_own_words() {
        let answers = &[
            "220-x\r\n220 x\r\n",
            "250-SIZE\r\n250 ok\r\n",
            "250 ok\r\n",
            "250 ok\r\n",
            "250 ok\r\n",
            "354 go\r\n",
            "250 queued\r\n",
            "221 bye\r\n",
        ];
        let (sent, heard) = heard(answers, &["one is down: \"x\"\r\nBcc: evil", ".", "two"]).await;
        assert_eq!(sent, Ok(Refused::new()));
        assert!(
            heard.contains("MAIL FROM:<me@x>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n"),
            "{heard}"
        );
        assert!(heard.contains("Subject: 3 changes of real servers\r\n"), "{heard}");
        assert!(
            heard.contains("\r\none is down: \"x\"  Bcc: evil\r\n..\r\ntwo\r\n.\r\nQUIT"),
            "{heard}"
        );
    }

    #[tokio::test]
    async fn a_refusal_is_told_with_the_servers_words() {
        let (sent, _) = heard(&["220 x\r\n", "250 ok\r\n", "550 not you\r\n"], &["x"]).await;
        assert_eq!(sent.unwrap_err(), "the mail server answers \"550 not you\" to MAIL");
        let (sent, _) = heard(&["421 busy\r\n"], &["x"]).await;
        assert_eq!(sent.unwrap_err(), "the mail server answers \"421 busy\" to the connection");
    }

    #[tokio::test]
    async fn whom_the_server_refuses_keeps_the_mail_from_nobody_else() {
        const HELLO: &str = "220 x\r\n";
        const OK: &str = "250 ok\r\n";
        const NO: &str = "550-no such\r\n550 user\r\n";
        const GO: &str = "354 go\r\n";
        let (sent, told) = heard(&[HELLO, OK, OK, NO, OK, GO, OK, OK], &["x"]).await;
        assert_eq!(sent, Ok(vec!["a@x: 550 user".to_owned()]));
        assert!(told.contains("\r\nRCPT TO:<b@x>\r\nDATA\r\nFrom: me@x\r\n"), "{told}");
        let (sent, _) = heard(&[HELLO, OK, OK, OK, NO, GO, OK, OK], &["x"]).await;
        assert_eq!(sent, Ok(vec!["b@x: 550 user".to_owned()]));
        let (sent, told) = heard(&[HELLO, OK, OK, NO, NO], &["x"]).await;
        assert_eq!(sent.unwrap_err(), "the mail server answers \"550 user\" to RCPT");
        assert!(!told.contains("DATA"), "{told}");
    }

    #[tokio::test]
    async fn what_may_be_over_soon_is_told_from_what_will_not() {
        let (ours, theirs) = tokio::io::duplex(64);
        drop(theirs);
        let went_away = talk(ours, &mail(), "me@x", "").await.unwrap_err();
        assert!(went_away.is_passing(), "{went_away}");
        assert!(MailError::Refused("451 greylisted".into(), "RCPT").is_passing());
        assert!(!MailError::Refused("550 no such user".into(), "RCPT").is_passing());
        assert!(!MailError::Address("a b".into()).is_passing());
    }

    /// Without a name the mail goes to this host's own server, and sendmail is for where there is
    /// none and it can work.
    #[tokio::test]
    async fn a_mail_without_a_server_goes_to_this_host() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap().to_string();
        let listening = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"554 not today\r\n").await.unwrap();
        });
        let send = async |server: &str, sendmail: &str, may_gain: bool| {
            let host = ThisHost { server, sendmail, may_gain };
            host.send(&mail(), "me@x", "text").await.map_err(|error| error.to_string())
        };
        let said = send(&server, "/bin/true", true).await.unwrap_err();
        assert_eq!(said, "the mail server answers \"554 not today\" to the connection");
        listening.await.unwrap();
        assert_eq!(send(&server, "/bin/true", true).await, Ok(Refused::new()));
        let said = send(&server, "/bin/true", false).await.unwrap_err();
        assert!(said.starts_with(&format!("no mail server at {server} (")), "{said}");
        let said = send(&server, "/bin/false", true).await.unwrap_err();
        assert!(said.contains("ended with exit code 1; name a mail server"), "{said}");
    }

    #[tokio::test]
    async fn an_address_cannot_hold_commands() {
        let evil = Mail { to: vec!["a>\r\nDATA".into()], ..mail() };
        assert!(matches!(send(&evil, &["x".into()]).await, Err(MailError::Address(_))));
    }
}
