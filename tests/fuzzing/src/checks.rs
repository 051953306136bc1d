//! What real servers and check programs say.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use config::model::{Expect, HttpCheck, Login, LoginCheck, LoginService, Query, Secret};
use health::expect::{Ask, Matcher, Pattern, Progress};
use health::login::radius::Request;
use health::login::{Session, Step};
use nanny::answers;
use nanny::shared::Shared;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Bytes that a matcher keeps at most in these targets.
const LIMIT: usize = 64;

/// What the first bytes of the input expect of the rest.
fn expectation(words: &[u8]) -> Option<Expect> {
    let (kind, words) = words.split_first()?;
    Some(match kind % 4 {
        0 => Expect::Prefix(words.to_vec()),
        1 => Expect::Contains(words.to_vec()),
        2 => Expect::Regex(String::from_utf8_lossy(words).into_owned()),
        _ => Expect::Anything,
    })
}

/// A server that says the input and closes.
async fn say(mut server: DuplexStream, answer: &[u8]) {
    let (mut reader, mut writer) = tokio::io::split(&mut server);
    let mut asked = [0; 1024];
    let _ = reader.read(&mut asked).await;
    let _ = writer.write_all(answer).await;
    let _ = writer.shutdown().await;
}

/// An answer over HTTP, and then what is expected of its body.
pub fn http_answer(data: &[u8]) {
    let (words, answer) = crate::split(data);
    let check = HttpCheck {
        tls: None,
        method: "GET".to_owned(),
        path: "/".to_owned(),
        host: None,
        status: Vec::new(),
        follow_redirects: 1,
        expect: expectation(words),
        digest: None,
    };
    let (client, server) = tokio::io::duplex(1 << 12);
    let shared = Shared::new(Vec::new());
    let outcome = crate::block_on(async {
        tokio::select! {
            outcome = answers::http(&check, &shared, client) => outcome,
            outcome = async { say(server, answer).await; std::future::pending().await } => outcome,
        }
    });
    if outcome.is_ok() {
        assert!(answer.starts_with(b"HTTP/1."), "{outcome:?}");
    }
    one_line(&outcome);
}

/// An answer to a check by text, and to each that logs in.
pub fn dialogue(data: &[u8]) {
    logins(data);
    let (words, answer) = crate::split(data);
    let Some(expect) = expectation(words) else { return };
    let (client, server) = tokio::io::duplex(1 << 12);
    let shared = Shared::new(Vec::new());
    let outcome = crate::block_on(async {
        tokio::select! {
            outcome = answers::dialogue(&expect, &shared, client) => outcome,
            outcome = async { say(server, answer).await; std::future::pending().await } => outcome,
        }
    });
    match (&expect, &outcome) {
        (Expect::Prefix(words), Ok(_)) => assert!(answer.starts_with(words)),
        (Expect::Contains(words), Ok(_)) => assert!(holds(answer, words)),
        (Expect::Anything, Ok(_)) => assert!(!answer.is_empty()),
        _ => {}
    }
    one_line(&outcome);
}

/// Every service that talks over a connection.
fn services() -> [LoginService; 6] {
    let asked = || Query { database: None, query: Some("SELECT 1".to_owned()) };
    [
        LoginService::Pop,
        LoginService::Imap,
        LoginService::Ftp { path: Some("/x".to_owned()), expect: None },
        LoginService::Ldap { base: String::new(), expect: None },
        LoginService::Mysql(asked()),
        LoginService::Postgresql(asked()),
    ]
}

/// Nothing is an accept that is not signed.
fn radius(datagram: &[u8], password: &str) {
    let request = Request::new(("user", password), "secret", 1, [7; 16]).unwrap();
    let outcome = request.answer(datagram).map(|()| "accepted");
    assert!(outcome.is_err());
    one_line(&outcome);
}

/// What a server says to a login, in pieces whose size is the first byte. No reason repeats the
/// password.
fn logins(data: &[u8]) {
    const PASSWORD: &str = "pass word";
    let Some((size, answer)) = data.split_first() else { return };
    radius(answer, PASSWORD);
    for service in services() {
        let login = Login { name: "user".to_owned(), password: Secret::inline(PASSWORD) };
        let check = LoginCheck { login: Some(login), tls: None, service };
        let mut session = Session::new(&check, [7; 16]).unwrap();
        let mut pieces = answer.chunks(usize::from(*size) + 1);
        let end = loop {
            match session.next_step() {
                Ok(Step::Hear) => match pieces.next().map(|piece| session.hear(piece)) {
                    Some(Ok(())) => {}
                    Some(Err(refused)) => break Some(refused),
                    None => break None,
                },
                Ok(Step::Secure(_)) => session.secured(),
                Ok(Step::Say(_) | Step::Open { .. }) => {}
                Ok(Step::Done(_) | Step::Fetch(_) | Step::Judge { .. }) => break None,
                Err(refused) => break Some(refused),
            }
        };
        if let Some(refused) = end {
            let outcome = Err::<&str, _>(refused);
            one_line(&outcome);
            assert!(!outcome.is_err_and(|refused| refused.to_string().contains(PASSWORD)));
        }
    }
}

/// What a person is told is one line without control characters.
fn one_line<T: std::fmt::Display, E: std::fmt::Display>(outcome: &Result<T, E>) {
    let words = match outcome {
        Ok(seen) => seen.to_string(),
        Err(failure) => failure.to_string(),
    };
    assert!(!words.chars().any(char::is_control), "{words:?}");
}

fn holds(text: &[u8], words: &[u8]) -> bool {
    words.is_empty() || text.windows(words.len()).any(|window| window == words)
}

/// The matcher gives the same verdict however the bytes are cut, and the one that a plain search
/// gives.
pub fn matcher(data: &[u8]) {
    let (words, rest) = crate::split(data);
    let Some(expect) = expectation(words) else { return };
    let Some((&size, text)) = rest.split_first() else { return };
    let Ok(pattern) = Pattern::new(&expect) else { return };
    let limit = if matches!(expect, Expect::Regex(_)) { text.len().max(LIMIT) } else { LIMIT };
    let whole = verdict(pattern.matcher(limit, Ask::AtEnd), &[text]);
    let pieces: Vec<&[u8]> = text.chunks(usize::from(size) % 16 + 1).collect();
    let cut = verdict(pattern.matcher(limit, Ask::AtEnd), &pieces);
    assert_eq!(whole, cut, "{expect:?} over {text:?}");
    match &expect {
        Expect::Prefix(words) if !text.is_empty() => assert_eq!(whole, text.starts_with(words)),
        Expect::Contains(words) if !text.is_empty() => assert_eq!(whole, holds(text, words)),
        Expect::Anything => assert_eq!(whole, !text.is_empty()),
        _ => {}
    }
}

fn verdict(mut matcher: Matcher<'_>, pieces: &[&[u8]]) -> bool {
    for piece in pieces {
        match matcher.push(piece) {
            Progress::Matched => return true,
            Progress::Failed(_) => return false,
            Progress::More => {}
        }
    }
    matcher.end().is_ok()
}

/// What a program said, and how it ended: only status 0 is well.
pub fn program(data: &[u8]) {
    let (words, rest) = crate::split(data);
    let (status, said) = rest.split_first_chunk::<2>().unwrap_or((&[0, 0], rest));
    let (output, errors) = crate::split(said);
    let status = ExitStatus::from_raw(i32::from(u16::from_le_bytes(*status)));
    let expect = expectation(words);
    let shared = Shared::new(Vec::new());
    let outcome = answers::program(expect.as_ref(), &shared, status, output, errors);
    assert!(status.success() || outcome.is_err());
    one_line(&outcome);
}
