//! Databases.

use config::model::Query;

use super::*;

fn query(database: Option<&str>) -> Query {
    Query { database: database.map(str::to_owned), query: Some("SELECT 1".to_owned()) }
}

/// The steps of a talk and what it ends with, where each answer is that of its number.
fn steps(check: &LoginCheck, answers: &[Vec<u8>]) -> (Vec<Step>, String) {
    let mut session = Session::new(check, [0; 16]).unwrap();
    let mut answers = answers.iter();
    let mut steps = Vec::new();
    loop {
        match session.next_step() {
            Ok(Step::Hear) => match answers.next() {
                Some(answer) => session.hear(answer).unwrap(),
                None => return (steps, "silence".to_owned()),
            },
            Ok(step @ Step::Done(_)) => {
                steps.push(step);
                return (steps, "well".to_owned());
            }
            Ok(Step::Secure(said)) => {
                steps.push(Step::Secure(said));
                session.secured();
            }
            Ok(step) => steps.push(step),
            Err(refused) => return (steps, refused.to_string()),
        }
    }
}

fn mysql() -> LoginCheck {
    check(LoginService::Mysql(query(Some("portal"))), "anna", "geheim")
}

/// A packet of MySQL.
fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
    [&[u8::try_from(payload.len()).unwrap(), 0, 0, number], payload].concat()
}

fn greeting(plugin: &str, tls: bool) -> Vec<u8> {
    let mut payload = b"\x0a8.0.36\x00\x01\x00\x00\x00abcdefgh\x00".to_vec();
    payload.extend([0, if tls { 0x8a } else { 0x82 }, 33, 2, 0, 8, 0, 21]);
    payload.extend([0; 10]);
    payload.extend(b"ijklmnopqrst\x00");
    payload.extend(plugin.as_bytes());
    payload.push(0);
    packet(0, &payload)
}

const OK: &[u8] = b"\x00\x00\x00\x02\x00\x00\x00";
const END: &[u8] = b"\xfe\x00\x00\x02\x00";
const NATIVE: &str = "mysql_native_password";
const CACHING: &str = "caching_sha2_password";

fn rows(rows: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut all = vec![packet(1, b"\x01"), packet(2, b"\x03def a column"), packet(3, END)];
    all.extend(rows.iter().map(|row| packet(4, row)));
    all.push(packet(5, END));
    all
}

#[test]
fn a_row_of_mysql_is_well_and_none_is_not() {
    let begin = [greeting(NATIVE, false), packet(2, OK)];
    let (said, end) = steps(&mysql(), &[&begin[..], &rows(&[b"\x011"])].concat());
    assert_eq!(end, "well");
    let Step::Say(login) = &said[0] else { panic!("{said:?}") };
    // SHA1(password) XOR SHA1(challenge + SHA1(SHA1(password))), computed apart.
    let wanted = b"anna\x00\x14\xbb\xcd\xd9\x8c\x2c\xc2\x6e\x66\xe1\x16\x30\x72\xde\xf0\x2e\xfa\x66\x72\xb0\x12";
    assert!(login.windows(wanted.len()).any(|part| part == wanted), "{login:02x?}");
    assert!(login.ends_with(b"portal\x00mysql_native_password\x00"));
    assert_eq!(said[1], Step::Say(packet(0, b"\x03SELECT 1")));
    assert_eq!(said[2], Step::Done(packet(0, b"\x01")));
    let (_, end) = steps(&mysql(), &[&begin[..], &rows(&[])].concat());
    assert_eq!(end, "the query gives no row");
    let (_, end) = steps(&mysql(), &[&begin[..], &[packet(1, OK)]].concat());
    assert_eq!(end, "the query gives no row");
    let no = packet(1, b"\xff\x7a\x04#42S02no such table");
    let (_, end) = steps(&mysql(), &[&begin[..], &[no]].concat());
    assert_eq!(end, "query refused: \"no such table\"");
}

#[test]
fn mysql_says_no() {
    let end = |answers: &[Vec<u8>]| steps(&mysql(), answers).1;
    let denied = packet(2, b"\xff\x15\x04#28000Access denied, geheim");
    assert_eq!(end(&[greeting(NATIVE, false), denied]), "login refused: \"Access denied, ***\"");
    let busy = packet(0, b"\xff\x10\x04Too many connections");
    assert_eq!(end(&[busy]), "connection refused: \"Too many connections\"");
    assert!(end(&[b"HTTP/1.1 400 Bad\r\n".to_vec()]).ends_with("is no MySQL"));
    let other = end(&[greeting("auth_gssapi_client", false)]);
    assert_eq!(other, "\"auth_gssapi_client\" is no login known here");
    let local = packet(1, b"\xfb/etc/passwd");
    assert_eq!(
        end(&[greeting(NATIVE, false), packet(2, OK), local]),
        "the server wants a file of ours"
    );
}

#[test]
fn the_whole_password_goes_to_mysql_inside_tls_alone() {
    let whole = packet(4, b"\x01\x04");
    let (said, _) = steps(&mysql(), &[greeting(CACHING, true), whole.clone()]);
    assert!(matches!(&said[0], Step::Secure(hello) if hello.len() == 36));
    assert!(matches!(&said[1], Step::Say(login) if login[3] == 2));
    assert_eq!(said[2], Step::Say(packet(5, b"geheim\x00")));
    let (said, end) = steps(&mysql(), &[greeting(CACHING, false), whole]);
    assert_eq!(said.len(), 1);
    assert_eq!(end, "the server wants the whole password, which goes through TLS alone");
    let (_, end) =
        steps(&mysql(), &[greeting(CACHING, false), packet(2, b"\x01\x03"), packet(3, OK)]);
    assert_eq!(end, "silence", "the query is asked");
    let switch = packet(2, b"\xfemysql_native_password\x00abcdefghijklmnopqrst\x00");
    let (said, _) = steps(&mysql(), &[greeting(CACHING, false), switch]);
    assert!(matches!(&said[1], Step::Say(proof) if proof.len() == 24 && proof[3] == 3));
    let secure = LoginCheck { tls: Some(plain_tls()), ..mysql() };
    assert_eq!(steps(&secure, &[greeting(NATIVE, false)]).1, "the server knows no TLS");
}

fn plain_tls() -> config::model::Tls {
    config::model::Tls { verify: false, ca_file: None, name: None }
}

fn postgresql() -> LoginCheck {
    check(LoginService::Postgresql(query(None)), "anna", "geheim")
}

/// A message of PostgreSQL.
fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 4).unwrap().to_be_bytes();
    [&[kind], length.as_slice(), content].concat()
}

fn ready() -> Vec<u8> {
    [message(b'R', &[0; 4]), message(b'S', b"x\x00y\x00"), message(b'Z', b"I")].concat()
}

#[test]
fn a_row_of_postgresql_is_well_and_none_is_not() {
    let row = [message(b'T', b"\x00\x00"), message(b'D', b"\x00\x00")].concat();
    let (said, end) = steps(&postgresql(), &[ready(), row]);
    assert_eq!(end, "well");
    let hello =
        b"\x00\x03\x00\x00user\x00anna\x00database\x00anna\x00application_name\x00caribe\x00\x00";
    assert!(matches!(&said[0], Step::Say(said) if said.ends_with(hello)));
    assert_eq!(said[1], Step::Say(message(b'Q', b"SELECT 1\x00")));
    assert_eq!(said[2], Step::Done(message(b'X', b"")));
    let none = [message(b'T', b"\x00\x00"), message(b'C', b"SELECT 0\x00")].concat();
    assert_eq!(steps(&postgresql(), &[ready(), none]).1, "the query gives no row");
    let wrong = message(b'E', b"SERROR\x00Mno such table\x00\x00");
    assert_eq!(steps(&postgresql(), &[ready(), wrong]).1, "query refused: \"no such table\"");
}

#[test]
fn postgresql_takes_the_password_as_it_wants_it() {
    let (said, _) = steps(&postgresql(), &[message(b'R', b"\x00\x00\x00\x03")]);
    assert_eq!(said[1], Step::Say(message(b'p', b"geheim\x00")));
    let (said, _) = steps(&postgresql(), &[message(b'R', b"\x00\x00\x00\x05salt")]);
    // "md5" and MD5(MD5(password + user) + salt), computed apart.
    assert_eq!(said[1], Step::Say(message(b'p', b"md5efe741bb5e93f2c18071f098d7feca7d\x00")));
    let sasl = b"\x00\x00\x00\x0aSCRAM-SHA-256-PLUS\x00SCRAM-SHA-256\x00\x00";
    let (said, _) = steps(&postgresql(), &[message(b'R', sasl)]);
    assert!(
        matches!(&said[1], Step::Say(said) if said.windows(9).any(|part| part == b"n,,n=,r=0"))
    );
    let other = steps(&postgresql(), &[message(b'R', b"\x00\x00\x00\x07")]).1;
    assert_eq!(other, "\"7\" is no login known here");
    let denied = message(b'E', b"SFATAL\x00C28P01\x00Mpassword geheim failed\x00\x00");
    assert_eq!(steps(&postgresql(), &[denied]).1, "login refused: \"password *** failed\"");
    assert!(steps(&postgresql(), &[b"HTTP/1.1 400".to_vec()]).1.ends_with("is no PostgreSQL"));
}

#[test]
fn postgresql_is_asked_for_tls_first() {
    let secure = LoginCheck { tls: Some(plain_tls()), ..postgresql() };
    let (said, _) = steps(&secure, &[b"S".to_vec()]);
    assert_eq!(said[0], Step::Say(vec![0, 0, 0, 8, 4, 210, 22, 47]));
    assert_eq!(said[1], Step::Secure(Vec::new()));
    assert!(matches!(&said[2], Step::Say(hello) if hello.len() > 40));
    assert_eq!(steps(&secure, &[b"N".to_vec()]).1, "the server knows no TLS");
}
