//! Checks that log in.

use serde::{Deserialize, Serialize};

use super::{Check, CheckKind, Cluster, Expect, Secret, Tls};
use crate::places::Part;

/// A check that logs in at a server, and may ask it something then.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LoginCheck {
    /// Who logs in; none is anonymous, where the service knows that.
    pub login: Option<Login>,
    /// TLS, and how the certificate is treated.
    pub tls: Option<Tls>,
    /// What speaks there, and what it is asked.
    pub service: LoginService,
}

/// A user with a password.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Login {
    /// The user.
    pub name: String,
    /// The password.
    pub password: Secret,
}

/// A service that knows logins.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginService {
    /// A mailbox, version 3 of POP (RFC 1939).
    Pop,
    /// A mailbox, version 4 of IMAP (RFC 9051).
    Imap,
    /// Files (RFC 959).
    Ftp {
        /// The file that is fetched; none: the login is enough.
        path: Option<String>,
        /// What it must hold.
        expect: Option<Expect>,
    },
    /// A directory (RFC 4511).
    Ldap {
        /// The entry that has to be there; empty is the directory's own.
        base: String,
        /// What its name must hold.
        expect: Option<Expect>,
    },
    /// Who may log in elsewhere (RFC 2865).
    Radius {
        /// What this router and the server share.
        secret: Secret,
    },
    /// MySQL and MariaDB.
    Mysql(Query),
    /// PostgreSQL.
    Postgresql(Query),
}

/// What a database is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Query {
    /// The database; none is the one that the server takes by itself.
    pub database: Option<String>,
    /// The query, which has to give a row; none: the login is enough.
    pub query: Option<String>,
}

impl LoginService {
    /// Its name in our own file, in the log, and in nanny's arguments.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pop => "pop",
            Self::Imap => "imap",
            Self::Ftp { .. } => "ftp",
            Self::Ldap { .. } => "ldap",
            Self::Radius { .. } => "radius",
            Self::Mysql(_) => "mysql",
            Self::Postgresql(_) => "postgresql",
        }
    }
}

/// What a secret is for, which makes the end of its file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretUse {
    /// The password of a login.
    Password,
    /// What this router shares with a RADIUS server.
    Shared,
}

impl SecretUse {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Shared => "secret",
        }
    }
}

impl Check {
    /// Every secret that it needs.
    fn secrets(&mut self) -> impl Iterator<Item = (SecretUse, &mut Secret)> {
        let login = match &mut self.kind {
            CheckKind::Login(check) => Some(&mut **check),
            _ => None,
        };
        login.into_iter().flat_map(|check| {
            let login = check.login.as_mut();
            let password = login.map(|login| (SecretUse::Password, &mut login.password));
            let shared = match &mut check.service {
                LoginService::Radius { secret } => Some((SecretUse::Shared, secret)),
                _ => None,
            };
            password.into_iter().chain(shared)
        })
    }
}

impl Cluster {
    /// Every secret of every check, with the name of its virtual server and where it stands.
    pub(crate) fn each_secret(&mut self, mut each: impl FnMut(&str, Part, SecretUse, &mut Secret)) {
        for (index, service) in self.services.iter_mut().enumerate() {
            let name = &service.name;
            let shared = std::iter::once(&mut service.check).chain(&mut service.also);
            let shared = shared.map(|check| (Part::Check(index), check));
            let own = service.servers.iter_mut().enumerate().flat_map(|(number, server)| {
                let checks = server.check.iter_mut().chain(&mut server.also);
                checks.map(move |check| (Part::ServerCheck(index, number), check))
            });
            for (part, check) in shared.chain(own) {
                for (what, secret) in check.secrets() {
                    each(name, part, what, secret);
                }
            }
        }
    }
}
