//! Targets that take a login.

use std::path::{Path, PathBuf};

use clap::Args;
use config::model::{Expect, Login, LoginCheck, LoginService, Query, Secret, Tls};
use runtime::ExitError;
use runtime::config_file::read_private;

use super::target::Target;

/// What speaks there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Pop,
    Imap,
    Ftp,
    Ldap,
    Radius,
    Mysql,
    Postgresql,
}

/// The schemes: what speaks there, whether inside TLS from the first byte on, and the usual port.
const SCHEMES: [(&str, Service, bool, u16); 10] = [
    ("pop", Service::Pop, false, 110),
    ("pops", Service::Pop, true, 995),
    ("imap", Service::Imap, false, 143),
    ("imaps", Service::Imap, true, 993),
    ("ftp", Service::Ftp, false, 21),
    ("ldap", Service::Ldap, false, 389),
    ("ldaps", Service::Ldap, true, 636),
    ("radius", Service::Radius, false, 1812),
    ("mysql", Service::Mysql, false, 3306),
    ("postgresql", Service::Postgresql, false, 5432),
];

/// How one logs in.
#[derive(Clone, Debug, Args)]
pub(super) struct LoginOptions {
    /// Who logs in, where it cannot stand before the address
    #[arg(long, value_name = "NAME")]
    login: Option<String>,
    /// File with the password, alone on one line, which nobody else may read
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The same for what is shared with a RADIUS server
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Query that has to give a row (mysql, postgresql)
    #[arg(long)]
    query: Option<String>,
    /// TLS before the login (mysql, postgresql)
    #[arg(long)]
    pub(super) tls: bool,
}

/// What speaks behind the name of a scheme, whether inside TLS, and on which port.
pub(super) fn scheme(name: &str) -> Option<(Service, bool, u16)> {
    let known = SCHEMES.iter().find(|(known, ..)| *known == name);
    known.map(|&(_, service, tls, port)| (service, tls, port))
}

/// All schemes, for people.
pub(super) fn forms() -> String {
    SCHEMES.map(|(name, ..)| format!("{name}://LOGIN@ADDRESS")).join(", ")
}

/// The name that stands before an address. Everybody on a host can read its command lines.
pub(super) fn name(text: &str) -> Result<String, ExitError> {
    if text.contains(':') {
        return Err(ExitError::usage(
            "a password on the command line can be read by everybody on this host; write it \
             into a file and name that with --password-file (a login with a colon: --login)",
        ));
    }
    Ok(text.to_owned())
}

impl LoginOptions {
    /// The check of such a target.
    pub(super) fn check(
        &self,
        service: Service,
        target: &Target,
        tls: Option<Tls>,
        expect: Option<Expect>,
    ) -> Result<LoginCheck, ExitError> {
        let is_database = matches!(service, Service::Mysql | Service::Postgresql);
        if self.query.is_some() && !is_database {
            return Err(ExitError::usage("only mysql:// and postgresql:// take --query"));
        }
        if expect.is_some() && !matches!(service, Service::Ftp | Service::Ldap) {
            return Err(ExitError::usage("of the logins only ftp:// and ldap:// take --expect"));
        }
        if self.tls && !is_database {
            return Err(ExitError::usage(
                "only mysql:// and postgresql:// take --tls; write pops://, imaps:// or ldaps://",
            ));
        }
        Ok(LoginCheck {
            login: self.who(service, target)?,
            tls,
            service: self.service(service, target, expect)?,
        })
    }

    /// Files and directories are for everybody, too.
    fn who(&self, service: Service, target: &Target) -> Result<Option<Login>, ExitError> {
        let password = self.password_file.as_deref().map(secret).transpose()?;
        let name = self.login.clone().or_else(|| target.login.clone());
        match name {
            Some(name) => Ok(Some(Login { name, password: password.unwrap_or_default() })),
            None if password.is_none() && matches!(service, Service::Ftp | Service::Ldap) => {
                Ok(None)
            }
            None => Err(ExitError::usage(
                "nobody is named who logs in; write LOGIN@ before the address",
            )),
        }
    }

    fn service(
        &self,
        service: Service,
        target: &Target,
        expect: Option<Expect>,
    ) -> Result<LoginService, ExitError> {
        let name = target.path.trim_start_matches('/');
        let given = Some(name.to_owned()).filter(|name| !name.is_empty());
        let query = || Query { database: given.clone(), query: self.query.clone() };
        Ok(match service {
            Service::Pop => LoginService::Pop,
            Service::Imap => LoginService::Imap,
            Service::Ftp => {
                LoginService::Ftp { path: given.as_ref().map(|_| target.path.clone()), expect }
            }
            Service::Ldap => LoginService::Ldap { base: name.to_owned(), expect },
            Service::Mysql => LoginService::Mysql(query()),
            Service::Postgresql => LoginService::Postgresql(query()),
            Service::Radius => {
                let file = self.secret_file.as_deref().ok_or_else(|| {
                    ExitError::usage("what is shared with the RADIUS server is in no file; name it with --secret-file")
                })?;
                LoginService::Radius { secret: secret(file)? }
            }
        })
    }
}

/// What a file holds that nobody else may read, as the daemon reads it.
fn secret(path: &Path) -> Result<Secret, ExitError> {
    let shown = path.display();
    let me = rustix::process::geteuid().as_raw();
    let bytes = read_private(path, me).map_err(|error| {
        ExitError::usage(format!("{shown} cannot be read: {error}; chmod 600 {shown}"))
    })?;
    let text = config::passwords::held(bytes).map_err(|what| {
        ExitError::usage(format!("{shown} {what}; write the password into it, alone on one line"))
    })?;
    Ok(Secret::inline(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;
    use config::model::CheckKind;
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    fn asked(words: &[&str]) -> Result<LoginCheck, String> {
        let words = [&["nanny", "check"], words].concat();
        let Some(Command::Check(options)) = Arguments::parse_from(words).command else {
            panic!("it is a check")
        };
        let target = Target::parse(&options.target).map_err(|error| error.message)?;
        match options.as_check(&target).map_err(|error| error.message)?.kind {
            CheckKind::Login(check) => Ok(*check),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_target_and_its_options_make_the_check_of_the_daemon() {
        let of = "postgresql://anna@192.0.2.4/shop";
        let check = asked(&[of, "--query", "SELECT 1", "--tls", "--host", "db.lab"]).unwrap();
        let query = Query { database: Some("shop".into()), query: Some("SELECT 1".into()) };
        assert_eq!(check.service, LoginService::Postgresql(query));
        assert_eq!(check.login.unwrap().name, "anna");
        assert_eq!(check.tls.unwrap().name.as_deref(), Some("db.lab"));
        let check = asked(&["ftp://192.0.2.4/pub/who"]).unwrap();
        let path = Some("/pub/who".to_owned());
        assert_eq!(check.service, LoginService::Ftp { path, expect: None });
        assert_eq!((check.login, check.tls), (None, None));
        let check = asked(&["ldaps://192.0.2.4/dc=lab", "--login", "cn=a/b"]).unwrap();
        assert_eq!(check.login.unwrap().name, "cn=a/b");
        assert!(check.tls.unwrap().verify);
    }

    #[test]
    fn what_makes_no_sense_is_told_with_what_does() {
        for (words, told) in [
            (["pop://192.0.2.4"].as_slice(), "LOGIN@"),
            (&["radius://anna@192.0.2.4"], "--secret-file"),
            (&["pop://anna@192.0.2.4", "--expect", "x"], "only ftp:// and ldap://"),
            (&["imap://anna@192.0.2.4", "--query", "x"], "only mysql:// and postgresql://"),
            (&["imap://anna@192.0.2.4", "--tls"], "imaps://"),
            (&["imap://anna@192.0.2.4", "--password-file", "/nowhere"], "/nowhere cannot be read"),
        ] {
            let said = asked(words).unwrap_err();
            assert!(said.contains(told), "{words:?}: {said}");
        }
    }

    #[test]
    fn a_password_that_others_can_read_is_refused_and_never_shown() {
        let path = std::env::temp_dir().join(format!("nanny-password-{}", std::process::id()));
        let file = path.display().to_string();
        let ask = |text: &str, mode| {
            write(&path, text).unwrap();
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            asked(&["imap://anna@192.0.2.4", "--password-file", &file])
        };
        let open = ask("geheim\n", 0o644).unwrap_err();
        let lines = ask("geheim\nmehr\n", 0o600).unwrap_err();
        let good = ask("geheim\n", 0o600).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(open.contains("chmod 600") && !open.contains("geheim"), "{open}");
        assert!(lines.contains("more than one line") && !lines.contains("geheim"), "{lines}");
        assert_eq!(good.login.unwrap().password.expose(), "geheim");
    }
}
