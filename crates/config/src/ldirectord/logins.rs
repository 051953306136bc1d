//! The services of ldirectord at which a check logs in.

use super::checks::{Plan, Text};
use super::values::Report;
use crate::foreign::report::Reporter;
use crate::model::{CheckKind, Expect, Login, LoginCheck, LoginService, Query, Secret};

impl Plan<'_> {
    /// The service at which a check logs in; none where it does not.
    pub(super) fn login_service(
        &self,
        report: &mut Report<'_>,
        request: Option<&Text>,
        receive: Option<&Text>,
        expect: Option<Expect>,
    ) -> Option<LoginService> {
        // Where it is not HTTP, ldirectord takes the slash away that it has put there.
        let request = request.map(|request| request.text.trim_start_matches('/'));
        let request = request.filter(|request| !request.is_empty());
        let query = |query: &str| Query {
            database: self.database.map(|database| database.text.clone()),
            query: Some(query.to_owned()),
        };
        Some(match (self.service, self.login, request) {
            ("pop" | "pops", Some(_), _) => LoginService::Pop,
            ("imap" | "imaps", Some(_), _) => LoginService::Imap,
            ("ftp", ..) => {
                if let (None, Some(receive)) = (request, receive) {
                    let help = "the server has to take a login; write `request = \"welcome.msg\"`";
                    let message = "nothing says which file is fetched";
                    report.warning(&receive.span, message, help);
                }
                let path = request.map(|request| format!("/{request}"));
                let expect = expect.filter(|_| path.is_some());
                LoginService::Ftp { path, expect }
            }
            ("ldap" | "ldaps", ..) => {
                LoginService::Ldap { base: request.unwrap_or_default().to_owned(), expect }
            }
            ("radius", Some(_), _) => {
                LoginService::Radius { secret: Secret::inline(self.secret?.text.clone()) }
            }
            ("mysql", Some(_), Some(request)) => LoginService::Mysql(query(request)),
            ("pgsql", Some(_), Some(request)) => LoginService::Postgresql(query(request)),
            _ => return None,
        })
    }

    /// A check that logs in as `login` and `passwd` say.
    pub(super) fn logs_in(&self, report: &mut Report<'_>, service: LoginService) -> CheckKind {
        let (login, tls) = (self.account(), self.tls(report));
        CheckKind::Login(Box::new(LoginCheck { login, tls, service }))
    }

    /// Who logs in, if anybody does. Without `passwd` the password is empty, as in ldirectord; a
    /// directory takes that for nobody.
    fn account(&self) -> Option<Login> {
        let login = self.login?;
        let password = self.password.map(|password| password.text.as_str()).unwrap_or_default();
        if password.is_empty() && matches!(self.service, "ldap" | "ldaps") {
            return None;
        }
        Some(Login { name: login.text.clone(), password: Secret::inline(password) })
    }
}
