//! `stonith` and `stonith_host`: devices that switch a router off, through the program of that name.

use std::time::Duration;

use super::report::Report;
use crate::fencing::{PROGRAM, is_line, is_open};
use crate::foreign::report::Reporter;
use crate::foreign::word::Word;
use crate::model::{Fence, FenceFailure};

/// heartbeat waits for ever; a device that takes longer than this is tried again.
const TIMEOUT: Duration = Duration::from_secs(60);
const DELAY: Duration = Duration::from_secs(5);

/// One line, with the router that it is for.
#[derive(Clone, Debug)]
pub(super) struct Device {
    /// Which router uses it; none is every router.
    from: Option<Word>,
    /// Options of the program.
    options: Vec<String>,
}

/// `stonith TYPE FILE`, or `stonith_host FROM TYPE PARAMETER…`.
pub(super) fn device(report: &mut Report<'_>, directive: &Word, values: &[Word]) -> Option<Device> {
    let text = |word: &Word| word.text.clone();
    let device = match (directive.text.as_str(), values) {
        ("stonith", [kind, file]) => Device {
            from: None,
            options: ["-t".into(), text(kind), "-F".into(), text(file)].into(),
        },
        ("stonith_host", [from, kind, parameters @ ..]) if !parameters.is_empty() => {
            let told = as_written(report, parameters);
            if !is_open(&kind.text) && !is_line(&told) {
                tell_of_parameters(report, kind, parameters);
            }
            let options = ["-t".into(), text(kind), "-p".into(), told].into();
            Device { from: Some(from.clone()).filter(|from| from.text != "*"), options }
        }
        _ => {
            let help = "write `stonith TYPE FILE`, or `stonith_host ROUTER TYPE PARAMETER…`, with `*` for both routers";
            let message = format!("`{}` does not say which device", directive.text);
            report.error(&directive.span, message, help);
            return None;
        }
    };
    Some(device)
}

/// From the first of these words to the last one: the last parameter of a device may hold blanks.
fn as_written(report: &Report<'_>, words: &[Word]) -> String {
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return String::new() };
    let bytes = report.source.bytes().get(first.span.start..last.span.end).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

/// Everybody who is on the router sees the arguments of a program while it runs, and these cannot
/// be given to it in another way.
fn tell_of_parameters(report: &mut Report<'_>, kind: &Word, parameters: &[Word]) {
    let (Some(first), Some(last)) = (parameters.first(), parameters.last()) else { return };
    let message = "these parameters can be seen in the list of processes while the program runs";
    let help = format!(
        "write them on one line of a file that only root may read (chmod 600), and its name instead: `stonith {} /etc/ha.d/stonith.conf`; that file may differ from router to router",
        kind.text
    );
    report.warning(&(first.span.start..last.span.end), message, help);
}

/// What the devices come to. Of several for one router the last one counts, as in heartbeat.
pub(super) fn fence(report: &mut Report<'_>, devices: &[Device], nodes: &[Word]) -> Option<Fence> {
    let mut off = [Vec::new(), Vec::new()];
    for device in devices {
        let from = device.from.as_ref();
        let user = from.map(|from| nodes.iter().position(|node| same(node, from)));
        if let (Some(None), Some(from)) = (user, from) {
            let help = "write the name of a router as `node` has it, or `*`";
            report.error(&from.span, format!("`{}` is no router", from.text), help);
        }
        for (index, argv) in off.iter_mut().enumerate() {
            // Whoever uses it switches the other one off.
            if user.is_none_or(|user| user == Some(1 - index)) {
                *argv = argv_of(device);
            }
        }
    }
    let [first, second] = &off;
    if first.is_empty() && second.is_empty() {
        return None;
    }
    // A router without a device takes over without one, with a warning of heartbeat's.
    for (node, argv) in nodes.iter().zip(&off) {
        if argv.is_empty() {
            let message = format!("nothing says how {} is switched off", node.text);
            let help = "add `stonith_host PARTNER TYPE PARAMETER…` for it: heartbeat takes over without where it has no device, this pair waits";
            report.error(&node.span, message, help);
        }
    }
    let on_failure = FenceFailure::Wait;
    Some(Fence { off, timeout: TIMEOUT, on_failure, delay: DELAY, user: Some("root".to_string()) })
}

fn argv_of(device: &Device) -> Vec<String> {
    let options = device.options.iter().map(String::as_str);
    let words = std::iter::once(PROGRAM).chain(options).chain(["-T", "reset", "%r"]);
    words.map(str::to_string).collect()
}

fn same(node: &Word, name: &Word) -> bool {
    node.text.eq_ignore_ascii_case(&name.text)
}
