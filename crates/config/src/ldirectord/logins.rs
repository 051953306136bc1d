//! The services of ldirectord at which a check logs in.

use super::checks::Plan;
use super::values::Report;
use crate::model::{CheckKind, Login, LoginCheck, LoginService, Secret};

impl Plan<'_> {
    /// Who logs in, if anybody does. Without `passwd` the password is empty, as in ldirectord.
    pub(super) fn account(&self) -> Option<Login> {
        let password = self.password.map(|password| password.text.as_str()).unwrap_or_default();
        let name = self.login?.text.clone();
        Some(Login { name, password: Secret::inline(password) })
    }

    /// A check that logs in as `login` and `passwd` say.
    pub(super) fn logs_in(&self, report: &mut Report<'_>, service: LoginService) -> CheckKind {
        let (login, tls) = (self.account(), self.tls(report));
        CheckKind::Login(Box::new(LoginCheck { login, tls, service }))
    }
}
