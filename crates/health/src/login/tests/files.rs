//! Files and directories.

use config::model::Expect;

use super::*;

fn ftp(path: Option<&str>) -> LoginCheck {
    let service = LoginService::Ftp { path: path.map(str::to_owned), expect: None };
    LoginCheck { login: None, tls: None, service }
}

/// What is left to do at the end of a talk of steps.
fn last(check: &LoginCheck, answers: &[&str]) -> String {
    talk(check, answers).1.unwrap_err()
}

#[test]
fn everybody_may_log_in_for_files() {
    let (said, end) =
        talk(&ftp(None), &["220-one\r\n 220 x\r\n220 two\r\n", "331 who?\r\n", "230 in\r\n"]);
    assert_eq!(said, ["USER anonymous\r\n", "PASS caribe@localhost\r\n", "QUIT\r\n"]);
    assert_eq!(end, Ok(()));
    assert_eq!(talk(&ftp(None), &["120 soon\r\n", "220\r\n", "230 in\r\n"]).1, Ok(()));
    let named = check(LoginService::Ftp { path: None, expect: None }, "anna", "geheim");
    let no = last(&named, &["220\r\n", "331\r\n", "530 geheim is wrong\r\n"]);
    assert_eq!(no, "login refused: \"530 *** is wrong\"");
    assert_eq!(last(&named, &["421 busy\r\n"]), "connection refused: \"421 busy\"");
    assert_eq!(last(&named, &["SSH-2.0\r\n"]), "\"SSH-2.0\" is no FTP");
}

const IN: [&str; 4] = ["220\r\n", "331\r\n", "230\r\n", "200 binary\r\n"];

#[test]
fn a_file_is_fetched_from_the_port_that_the_server_names() {
    let with = |more: &[&'static str]| last(&ftp(Some("/welcome.msg")), &[&IN, more].concat());
    let open = "Open { port: 6446, say: [82, 69, 84, 82, 32, 47, 119";
    assert!(with(&["229 Entering (|||6446|)\r\n"]).starts_with(open));
    assert!(with(&["500 what?\r\n", "227 Entering (10,0,0,9,25,46).\r\n"]).starts_with(open));
    assert!(with(&["500 what?\r\n", "227 =10,0,0,9,25,46\r\n"]).starts_with(open));
    assert!(with(&["229 Entering\r\n"]).contains("is no answer with a port"));
    assert!(with(&["229 (|||0|)\r\n"]).contains("is no answer with a port"));
    assert!(with(&["500\r\n", "227 (1,2,3,4,5,999)\r\n"]).contains("is no answer with a port"));
    assert!(with(&["500\r\n", "502 no\r\n"]).contains("file refused"));
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let mut session = Session::new(&ftp(Some("/x")), [0; 16]).unwrap();
    for answer in IN.into_iter().chain(["229 (|||6446|)\r\n"]) {
        while session.next_step().unwrap() != Step::Hear {}
        session.hear(answer.as_bytes()).unwrap();
    }
    assert!(matches!(session.next_step(), Ok(Step::Open { port: 6446, .. })));
    assert_eq!(session.next_step(), Ok(Step::Hear));
    session.hear(b"550 no such file\r\n").unwrap();
    let refused = session.next_step().unwrap_err().to_string();
    assert_eq!(refused, "file refused: \"550 no such file\"");
}

fn ldap(login: Option<Login>) -> LoginCheck {
    let service = LoginService::Ldap {
        base: "dc=example".to_owned(),
        expect: Some(Expect::Contains(b"example".to_vec())),
    };
    LoginCheck { login, tls: None, service }
}

/// The steps of a talk, where the server says these bytes.
fn steps(check: &LoginCheck, answers: &[&[u8]]) -> Result<Vec<Step>, String> {
    let mut session = Session::new(check, [0; 16]).unwrap();
    let mut answers = answers.iter();
    let mut steps = Vec::new();
    loop {
        match session.next_step().map_err(|refused| refused.to_string())? {
            Step::Hear => match answers.next() {
                Some(answer) => session.hear(answer).unwrap(),
                None => return Ok(steps),
            },
            step => steps.push(step),
        }
    }
}

const BOUND: &[u8] = b"0\x0c\x02\x01\x01a\x07\x0a\x01\x00\x04\x00\x04\x00";
const FOUND: &[u8] = b"0\x0c\x02\x01\x02e\x07\x0a\x01\x00\x04\x00\x04\x00";
const ENTRY: &[u8] = b"0\x13\x02\x01\x02d\x0e\x04\x0adc=example0\x00";

#[test]
fn a_directory_is_asked_for_one_entry_whose_name_counts() {
    let login = Login { name: "cn=a".to_owned(), password: Secret::inline("geheim") };
    let said = steps(&ldap(Some(login)), &[BOUND, ENTRY, FOUND]).unwrap();
    let bind = b"0\x16\x02\x01\x01`\x11\x02\x01\x03\x04\x04cn=a\x80\x06geheim";
    assert_eq!(said[0], Step::Say(bind.to_vec()));
    let Step::Say(search) = &said[1] else { panic!("{said:?}") };
    assert!(
        search.starts_with(b"0\x34\x02\x01\x02c\x2f\x04\x0adc=example\x0a\x01\x00"),
        "{said:?}"
    );
    let (text, say) = (b"dc=example".to_vec(), b"0\x05\x02\x01\x03B\x00".to_vec());
    assert_eq!(said[2], Step::Judge { text, say });
}

#[test]
fn a_directory_says_no() {
    let anybody = ldap(None);
    let wrong = b"0\x0e\x02\x01\x01a\x09\x0a\x01\x31\x04\x00\x04\x02no";
    let refused = |answers: &[&[u8]]| steps(&anybody, answers).unwrap_err();
    assert_eq!(refused(&[wrong]), "login refused: \"invalid credentials: no\"");
    assert_eq!(refused(&[BOUND, FOUND]), "no such entry");
    let missing = b"0\x0c\x02\x01\x02e\x07\x0a\x01\x20\x04\x00\x04\x00";
    assert_eq!(refused(&[BOUND, missing]), "entry refused: \"no such object\"");
    assert_eq!(refused(&[BOUND, ENTRY, ENTRY, FOUND]), "more than one entry");
    assert!(refused(&[b"HTTP/1.1 400\r\n"]).ends_with("is no LDAP"));
    assert!(refused(&[FOUND]).ends_with("is no LDAP"), "before the login");
    assert_eq!(refused(&[b"0\x84\x7f\xff\xff\xff"]), "the answer is too long");
    assert!(refused(&[b"0\x85\x00\x00\x00\x00\x00"]).ends_with("is no LDAP"));
}
