//! The directives of ldirectord.cf: where each may stand, and which are not carried.

use super::lexer::Directive;
use super::values::Report;
use crate::diagnostic::nearest;
use crate::foreign::report::Reporter;

/// Where a directive may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// At the margin, for the whole file.
    Global,
    /// Indented, below a virtual server.
    Virtual,
    /// At the margin as the default, or below a virtual server.
    Both,
}

/// A directive that ldirectord knows.
pub(super) struct Known {
    /// Its name.
    pub(super) name: &'static str,
    /// Where it may stand.
    pub(super) scope: Scope,
}

const fn known(name: &'static str, scope: Scope) -> Known {
    Known { name, scope }
}

/// All of them.
const DIRECTIVES: &[Known] = &[
    known("virtual", Scope::Global),
    known("virtual6", Scope::Global),
    known("autoreload", Scope::Global),
    known("supervised", Scope::Global),
    known("fork", Scope::Global),
    known("logfile", Scope::Global),
    known("callback", Scope::Global),
    known("execute", Scope::Global),
    known("emailalertfrom", Scope::Global),
    known("maintenancedir", Scope::Global),
    known("readdquiescent", Scope::Global),
    known("checktimeout", Scope::Both),
    known("negotiatetimeout", Scope::Both),
    known("checkinterval", Scope::Both),
    known("checkcount", Scope::Both),
    known("failurecount", Scope::Both),
    known("fallback", Scope::Both),
    known("fallback6", Scope::Both),
    known("fallbackcommand", Scope::Both),
    known("emailalert", Scope::Both),
    known("emailalertfreq", Scope::Both),
    known("emailalertstatus", Scope::Both),
    known("smtp", Scope::Both),
    known("quiescent", Scope::Both),
    known("cleanstop", Scope::Both),
    known("real", Scope::Virtual),
    known("real6", Scope::Virtual),
    known("checktype", Scope::Virtual),
    known("service", Scope::Virtual),
    known("checkcommand", Scope::Virtual),
    known("checkport", Scope::Virtual),
    known("request", Scope::Virtual),
    known("receive", Scope::Virtual),
    known("httpmethod", Scope::Virtual),
    known("virtualhost", Scope::Virtual),
    known("login", Scope::Virtual),
    known("passwd", Scope::Virtual),
    known("database", Scope::Virtual),
    known("secret", Scope::Virtual),
    known("load", Scope::Virtual),
    known("scheduler", Scope::Virtual),
    known("schedflags", Scope::Virtual),
    known("persistent", Scope::Virtual),
    known("netmask", Scope::Virtual),
    known("protocol", Scope::Virtual),
    known("ops", Scope::Virtual),
    known("monitorfile", Scope::Virtual),
    known("servicename", Scope::Virtual),
    known("comment", Scope::Virtual),
];

/// The directive of that name; names are lower case.
pub(super) fn find(name: &str) -> Option<&'static Known> {
    DIRECTIVES.iter().find(|known| known.name == name)
}

/// Directives that lose nothing, and why.
const NEEDLESS: [(&str, &str); 3] = [
    ("fork", "checks always run side by side, so that a slow server holds up no other"),
    ("supervised", "the daemon always stays in the foreground, and writes its log there"),
    (
        "load",
        "nothing reads it, nor does anything in ldirectord; `lvsctl explain-key` shows how weights follow a load here",
    ),
];

/// Says why a directive is not needed.
pub(super) fn name_needless(report: &mut Report<'_>, directive: &Directive) {
    let name = directive.name.text.as_str();
    if let Some((name, why)) = NEEDLESS.iter().find(|(known, _)| *known == name) {
        report.not_needed(name, &directive.name.span, why);
    }
}

/// What to say about a name that ldirectord does not know.
pub(super) fn unknown(name: &str) -> String {
    match name {
        "timeout" | "connecttimeout" => {
            "its names are `checktimeout` and `negotiatetimeout` now".to_string()
        }
        _ => match nearest(name, DIRECTIVES.iter().map(|known| known.name)) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "the manual page ldirectord(8) lists the directives".to_string(),
        },
    }
}
