//! Protocols of lines.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

/// A word of the client's line and what is answered to it; `{tag}` is the line's first word.
type Answers = &'static [(&'static str, &'static str)];

/// Mail that comes in (SMTP).
pub fn mail_in(stream: &TcpStream) -> Result<()> {
    lines(stream, "220 lab ESMTP\r\n", &[("EHLO", "250 lab\r\n"), ("QUIT", "221 bye\r\n")])
}

/// A mailbox (IMAP).
pub fn mailbox(stream: &TcpStream) -> Result<()> {
    let answers = &[("LOGIN", "{tag} OK\r\n"), ("LOGOUT", "* BYE\r\n{tag} OK\r\n")];
    lines(stream, "* OK lab\r\n", answers)
}

/// A mailbox (POP).
pub fn mail_out(stream: &TcpStream) -> Result<()> {
    let answers =
        &[("USER", "+OK\r\n"), ("PASS", "+OK\r\n"), ("STAT", "+OK 0 0\r\n"), ("QUIT", "+OK\r\n")];
    lines(stream, "+OK lab\r\n", answers)
}

/// News (NNTP).
pub fn news(stream: &TcpStream) -> Result<()> {
    lines(stream, "200 lab\r\n", &[("QUIT", "205 bye\r\n")])
}

/// `pong` to a line with `ping`.
pub fn echo(stream: &TcpStream) -> Result<()> {
    lines(stream, "", &[("PING", "pong\r\n")])
}

/// Files (FTP): whatever is asked for says the same.
pub fn files(mut stream: &TcpStream) -> Result<()> {
    stream.write_all(b"220 lab\r\n")?;
    let mut data = None;
    for line in BufReader::new(stream).lines() {
        let line = line?.to_uppercase();
        let answer = match line.split_whitespace().next().unwrap_or_default() {
            "USER" => "331 whose?".to_owned(),
            "PASS" => "230 yours".to_owned(),
            "CWD" => "250 there".to_owned(),
            "TYPE" => "200 so".to_owned(),
            "PASV" => {
                let listener = TcpListener::bind((stream.local_addr()?.ip(), 0))?;
                let answer = passive(&listener.local_addr()?);
                data = Some(listener);
                answer
            }
            "RETR" => match data.take() {
                Some(listener) => {
                    stream.write_all(b"150 here\r\n")?;
                    listener.accept()?.0.write_all(b"Welcome to the lab\r\n")?;
                    "226 there".to_owned()
                }
                None => "425 where?".to_owned(),
            },
            "QUIT" => "221 bye".to_owned(),
            _ => "500 what?".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
        if answer.starts_with("221") {
            return Ok(());
        }
    }
    Ok(())
}

/// Where the other connection is awaited; this form of it knows IPv4 alone.
fn passive(address: &SocketAddr) -> String {
    let IpAddr::V4(ip) = address.ip().to_canonical() else { return "500 what?".to_owned() };
    let [a, b, c, d] = ip.octets();
    let [high, low] = address.port().to_be_bytes();
    format!("227 Passive ({a},{b},{c},{d},{high},{low})")
}

/// The day and the time, and who says it (daytime). The day is as good as any.
pub fn daytime(mut stream: &TcpStream) -> Result<()> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    stream.write_all(format!("20 AUG 2004 18:21:06 CEST {host}\r\n").as_bytes())
}

/// Greets and answers line by line; what is not known is refused.
fn lines(mut stream: &TcpStream, greeting: &str, answers: Answers) -> Result<()> {
    stream.write_all(greeting.as_bytes())?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        let tag = line.split_whitespace().next().unwrap_or_default();
        let upper = line.to_uppercase();
        let known = answers.iter().find(|(word, _)| upper.contains(word));
        let answer = known.map_or("500 what?\r\n", |(_, answer)| answer);
        stream.write_all(answer.replace("{tag}", tag).as_bytes())?;
        if known.is_some_and(|(word, _)| matches!(*word, "QUIT" | "LOGOUT")) {
            return Ok(());
        }
    }
    Ok(())
}
