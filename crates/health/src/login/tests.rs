//! Whole talks, the server's part written down.

mod bytes;
mod files;

use config::model::{Login, LoginCheck, LoginService, Secret};
use proptest::prelude::*;

use super::*;

fn check(service: LoginService, name: &str, password: &str) -> LoginCheck {
    let login = Login { name: name.to_owned(), password: Secret::inline(password) };
    LoginCheck { login: Some(login), tls: None, service }
}

/// What is said to a server with these answers, each line by line, and how it ends.
fn talk(check: &LoginCheck, answers: &[&str]) -> (Vec<String>, Result<(), String>) {
    let mut session = Session::new(check, [7; 16]).unwrap();
    let mut answers = answers.iter();
    let mut said = Vec::new();
    loop {
        match session.next_step() {
            Ok(Step::Hear) => {
                let Some(answer) = answers.next() else { return (said, Err("silence".to_owned())) };
                session.hear(answer.as_bytes()).unwrap();
            }
            Ok(Step::Say(bytes)) => said.push(String::from_utf8(bytes).unwrap()),
            Ok(Step::Done(bytes)) => {
                said.push(String::from_utf8(bytes).unwrap());
                return (said, Ok(()));
            }
            Ok(other) => return (said, Err(format!("{other:?}"))),
            Err(refused) => return (said, Err(refused.to_string())),
        }
    }
}

fn refusal(check: &LoginCheck, answers: &[&str]) -> String {
    talk(check, answers).1.unwrap_err()
}

#[test]
fn a_mailbox_takes_user_and_password_over_pop() {
    let pop = check(LoginService::Pop, "anna", "geheim");
    let (said, end) = talk(&pop, &["+OK <1@x>\r\n", "+OK\r\n", "+OK 2 messages\r\n"]);
    assert_eq!(said, ["USER anna\r\n", "PASS geheim\r\n", "QUIT\r\n"]);
    assert_eq!(end, Ok(()));
    let wrong = ["+OK\r\n", "+OK\r\n", "-ERR [AUTH] no\r\n"];
    assert_eq!(refusal(&pop, &wrong), "login refused: \"-ERR [AUTH] no\"");
    assert_eq!(refusal(&pop, &["-ERR busy\r\n"]), "connection refused: \"-ERR busy\"");
    assert_eq!(refusal(&pop, &["HTTP/1.1 400\r\n"]), "\"HTTP/1.1 400\" is no POP3");
    assert_eq!(refusal(&pop, &["+OK\r\n", "+OK\r\n"]), "silence");
}

#[test]
fn a_mailbox_takes_a_quoted_login_over_imap() {
    let imap = check(LoginService::Imap, "an na", "a\"b\\c");
    let (said, end) = talk(&imap, &["* OK [CAPABILITY IMAP4rev1] hi\r\n* X\r\n", "a1 OK in\r\n"]);
    assert_eq!(said, ["a1 LOGIN \"an na\" \"a\\\"b\\\\c\"\r\n", "a2 LOGOUT\r\n"]);
    assert_eq!(end, Ok(()));
    assert_eq!(refusal(&imap, &["* OK\r\n", "a1 NO no\r\n"]), "login refused: \"a1 NO no\"");
    assert_eq!(refusal(&imap, &["* BYE\r\n"]), "connection refused: \"* BYE\"");
    assert_eq!(refusal(&imap, &["+OK\r\n"]), "\"+OK\" is no IMAP");
    assert_eq!(talk(&imap, &["* PREAUTH hello\r\n"]).1, Ok(()));
}

#[test]
fn what_cannot_be_quoted_for_imap_is_sent_as_a_literal() {
    let imap = check(LoginService::Imap, "ánna", "gehéim");
    let (said, end) = talk(&imap, &["* OK\r\n", "+ go on\r\n", "+\r\n", "a1 OK\r\n"]);
    assert_eq!(said, ["a1 LOGIN {5}\r\n", "ánna {7}\r\n", "gehéim\r\n", "a2 LOGOUT\r\n"]);
    assert_eq!(end, Ok(()));
}

#[test]
fn no_reason_holds_the_password_that_a_server_repeats() {
    for service in [LoginService::Pop, LoginService::Imap] {
        let check = check(service, "anna", "geheim");
        for answers in [
            ["+OK\r\n", "-ERR PASS geheim?\r\n"],
            ["* OK\r\n", "a1 BAD LOGIN geheim geheimgeheim\r\n"],
            ["* OK\r\n", "geheim\r\n"],
        ] {
            let why = refusal(&check, &answers);
            assert!(!why.contains("geheim"), "{why}");
        }
    }
}

#[test]
fn a_login_cannot_bring_a_command_of_its_own() {
    let pop = check(LoginService::Pop, "anna\r\nDELE 1", "x");
    assert_eq!(refusal(&pop, &["+OK\r\n"]), "the login holds a control character");
    // In a literal it is no command.
    let imap = check(LoginService::Imap, "anna", "x\r\na1 DELETE INBOX");
    assert_eq!(talk(&imap, &["* OK\r\n"]).0, ["a1 LOGIN \"anna\" {18}\r\n"]);
}

#[test]
fn a_line_without_an_end_is_too_long_sometime() {
    let mut session = Session::new(&check(LoginService::Pop, "anna", "x"), [7; 16]).unwrap();
    let mut total = 0;
    let refused = loop {
        session.hear(&[b'x'; 4096]).unwrap();
        total += 4096;
        match session.next_step() {
            Ok(step) => assert_eq!(step, Step::Hear),
            Err(refused) => break refused,
        }
    };
    assert_eq!((refused, total), (Refused::TooLong, MESSAGE + 4096));
}

proptest! {
    #[test]
    fn how_an_answer_is_cut_changes_nothing(cut in 1_usize..9) {
        let all = b"* OK hello\r\n* STATUS\r\na1 OK welcome\r\n";
        let mut session = Session::new(&check(LoginService::Imap, "anna", "x"), [7; 16]).unwrap();
        let mut steps = Vec::new();
        for piece in all.chunks(cut) {
            session.hear(piece).unwrap();
            loop {
                match session.next_step().unwrap() {
                    Step::Hear => break,
                    Step::Done(said) => {
                        prop_assert_eq!((steps.len(), said.len()), (1, 11));
                        return Ok(());
                    }
                    step => steps.push(step),
                }
            }
        }
        prop_assert!(false, "no end");
    }
}
