//! Flags of a scheduler: ipvsadm, ldirectord and keepalived have the same words for them.

use ipvs::SchedulerFlags;

/// Their words.
pub(crate) const KNOWN: [&str; 7] =
    ["sh-fallback", "sh-port", "mh-fallback", "mh-port", "flag-1", "flag-2", "flag-3"];

/// Sets the flag of this word; whether there is one.
pub(crate) fn set(flags: &mut SchedulerFlags, word: &str) -> bool {
    match word {
        "sh-fallback" | "mh-fallback" | "flag-1" => flags.fallback = true,
        "sh-port" | "mh-port" | "flag-2" => flags.port = true,
        "flag-3" => flags.third = true,
        _ => return false,
    }
    true
}
