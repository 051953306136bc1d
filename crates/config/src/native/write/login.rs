//! The checks that log in.

use super::super::yaml::Yaml;
use super::Map;
use super::check::{expect, tls};
use crate::model::{LoginCheck, LoginService, Query, Secret};

pub(super) fn login(check: &LoginCheck) -> Yaml {
    let mut map = Map::new("services.*.check.imap");
    if let Some(login) = &check.login {
        map.put_text("login", &login.name);
        file(&mut map, "password_file", &login.password);
    }
    match &check.service {
        LoginService::Pop | LoginService::Imap => {}
        LoginService::Ftp { path, expect: wanted } => {
            map.put_text_if("path", path.as_ref());
            map.put_some("expect", wanted.as_ref().map(expect));
        }
        LoginService::Ldap { base, expect: wanted } => {
            map.put_text_if("base", Some(base).filter(|base| !base.is_empty()));
            map.put_some("expect", wanted.as_ref().map(expect));
        }
        LoginService::Radius { secret } => file(&mut map, "secret_file", secret),
        LoginService::Mysql(query) | LoginService::Postgresql(query) => asked(&mut map, query),
    }
    if let Some(given) = &check.tls {
        map.put_boolean("tls", true);
        tls(given, &mut map);
    }
    map.done()
}

fn asked(map: &mut Map, asked: &Query) {
    map.put_text_if("database", asked.database.as_ref());
    map.put_text_if("query", asked.query.as_ref());
}

/// A password never stands in the file: each has a name by now.
fn file(map: &mut Map, key: &str, secret: &Secret) {
    map.put_text_if(key, secret.file.as_ref());
}
