//! Keys that nothing is lost without. Their values are looked at all the same, as Piranha does.

use super::blocks::{Block, File};
use super::lexer::Setting;
use super::values::{Report, Settings};
use crate::foreign::report::Reporter;

/// Keys of the whole file, and why they are not needed.
const FILE: [(&str, &str); 6] = [
    (
        "serial_no",
        "both routers tell each other by themselves whether they have the same configuration",
    ),
    ("heartbeat", "`backup_active` says whether there is a pair, for Piranha too"),
    ("debug_level", "`--log-level debug` asks for more lines; Piranha itself never read it"),
    (
        "hard_shutdown",
        "a check that dies is started again, and no virtual server is stopped for it",
    ),
    ("ipvsadm", "the kernel is spoken to directly, and no program is run for it"),
    ("sync", "nothing copies files to the partner, and nothing in Piranha did"),
];

/// Keys for a disk that failover services share.
const DISK: [&str; 3] = ["primary_shared", "backup_shared", "reservation_conflict_action"];

/// Keys of a virtual server, and why they are not needed.
const VIRTUAL: [(&str, &str); 4] = [
    ("master", "nothing reads it, nor does anything in Piranha"),
    ("dirs", "nothing reads it, nor does anything in Piranha"),
    ("start_cmd", "it counts in a `failover` block alone, for Piranha too"),
    ("stop_cmd", "it counts in a `failover` block alone, for Piranha too"),
];

/// Names them, and reports values that Piranha refuses. `fos` says that the failover services are
/// what is used.
pub(super) fn name(report: &mut Report<'_>, file: &File, fos: bool) {
    let settings = Settings(&file.settings);
    report.number(settings, "serial_no", 0);
    for key in ["heartbeat", "hard_shutdown", "sync"] {
        report.switch(settings, key, false);
    }
    report.word(settings, "reservation_conflict_action", &["nothing", "preempt"]);
    for (key, why) in FILE {
        if let Some(setting) = settings.get(key) {
            report.not_needed(key, &setting.key.span, why);
        }
    }
    for setting in DISK.iter().filter_map(|key| settings.get(key)) {
        disk(report, setting, fos);
    }
    for block in file.virtuals.iter().filter(|_| !fos) {
        virtual_server(report, block);
    }
}

/// A disk that both routers can write to is safe with one that was switched off alone.
fn disk(report: &mut Report<'_>, setting: &Setting, fos: bool) {
    let key = &setting.key.text;
    if fos {
        let help = "no disk is reserved here: where both routers write to one, have the other one switched off first (`lvsctl convert`, and `fence` in its result)";
        report.warning(&setting.key.span, format!("`{key}` has no effect here"), help);
    } else {
        let why = "it is for failover services that share a disk, and this file has none in use";
        report.not_needed(key, &setting.key.span, why);
    }
}

fn virtual_server(report: &mut Report<'_>, block: &Block) {
    let settings = Settings(&block.settings);
    for (key, why) in VIRTUAL {
        if let Some(setting) = settings.get(key) {
            report.not_needed(key, &setting.key.span, why);
        }
    }
}
