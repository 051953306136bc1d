//! The checks that log in: `check.imap` and its like.

use super::check::expect;
use super::dialogue::tls;
use super::scalar::{Parsed, Problem};
use super::section::{Reading, Section, not_empty};
use super::tree::{Node, Span};
use crate::model::{CheckKind, Login, LoginCheck, LoginService, Query, Secret};

/// The settings of one of them, by its name.
pub(super) fn login<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    path: &'static str,
    node: Node<'n>,
    at: Span,
) -> Option<CheckKind> {
    let mut map = reading.section(path, node, at)?;
    let name = path.rsplit('.').next().unwrap_or(path);
    let service = service(reading, name, &mut map);
    // Files and directories are for everybody, too.
    let login = who(reading, !matches!(name, "ftp" | "ldap"), &mut map);
    let tls = (!matches!(name, "ftp" | "radius")).then(|| {
        let has_tls = reading.boolean(&mut map, "tls");
        let tls = tls(reading, &mut map);
        has_tls.then_some(tls)
    });
    reading.finish(map);
    let check = LoginCheck { login, tls: tls.flatten(), service: service? };
    Some(CheckKind::Login(Box::new(check)))
}

fn service<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    name: &str,
    map: &mut Section<'n>,
) -> Option<LoginService> {
    Some(match name {
        "pop" => LoginService::Pop,
        "imap" => LoginService::Imap,
        "ftp" => {
            LoginService::Ftp { path: one_line(reading, map, "path"), expect: expect(reading, map) }
        }
        "ldap" => LoginService::Ldap {
            base: one_line(reading, map, "base").unwrap_or_default(),
            expect: expect(reading, map),
        },
        "radius" => {
            let file = one_line(reading, map, "secret_file");
            let file = reading.require(map, "secret_file", file);
            LoginService::Radius { secret: Secret::in_file(file?) }
        }
        _ => {
            let query = Query {
                database: one_line(reading, map, "database"),
                query: reading.text(map, "query"),
            };
            if name == "mysql" {
                LoginService::Mysql(query)
            } else {
                LoginService::Postgresql(query)
            }
        }
    })
}

/// Who logs in; nobody is somebody, where `required` does not say otherwise.
fn who<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    required: bool,
    map: &mut Section<'n>,
) -> Option<Login> {
    let given = map.has("login") || map.has("password_file");
    let name = one_line(reading, map, "login");
    let file = one_line(reading, map, "password_file");
    if !given && !required {
        return None;
    }
    let name = reading.require(map, "login", name);
    Some(Login { name: name?, password: file.map(Secret::in_file).unwrap_or_default() })
}

/// A text that is sent as a part of a line.
fn one_line<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    map: &mut Section<'n>,
    key: &str,
) -> Option<String> {
    reading.parsed(map, key, plain).map(|given| given.value)
}

fn plain(text: &str) -> Parsed<String> {
    if text.contains(char::is_control) {
        return Err(Problem::new("it holds a control character", "write it on one line"));
    }
    not_empty(text)
}
