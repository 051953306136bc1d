//! Rules over the whole model, the same for every format.

mod data_path;
mod pair;
mod probes;
mod services;
mod takes;

use crate::diagnostic::{Diagnostics, Help};
use crate::load::Format;
use crate::places::{Part, Places};
use crate::{Cluster, Severity};

/// What the rules need beside the model.
struct Rules<'a> {
    places: &'a Places,
    out: &'a mut Diagnostics,
    /// Whether the file is in our own format: old files keep running where ours are told off.
    native: bool,
    /// Whether the file was read without an error: else what is missing may only be unreadable.
    whole: bool,
}

impl Rules<'_> {
    fn error(&mut self, part: Part, message: impl Into<String>, help: impl Into<Help>) {
        self.places.report(self.out, Severity::Error, part, message, help);
    }

    fn warning(&mut self, part: Part, message: impl Into<String>, help: impl Into<Help>) {
        self.places.report(self.out, Severity::Warning, part, message, help);
    }

    /// An error in our own format, a warning in an old file that has run for years.
    fn error_if_native(&mut self, part: Part, message: impl Into<String>, help: impl Into<Help>) {
        let severity = if self.native { Severity::Error } else { Severity::Warning };
        self.places.report(self.out, severity, part, message, help);
    }
}

/// Reports every rule that the model breaks.
pub(crate) fn check(cluster: &Cluster, format: Format, places: &Places, out: &mut Diagnostics) {
    let whole = !out.has_errors();
    let mut rules = Rules { places, out, native: format == Format::Native, whole };
    if whole && cluster.pair.is_none() && cluster.services.is_empty() {
        let help = "add a virtual server under services, or routers and groups";
        rules.error(
            Part::File,
            "nothing is configured: no virtual server, no floating address",
            help,
        );
    }
    if let Some(pair) = &cluster.pair {
        pair::check(pair, &mut rules);
    }
    services::check(cluster, &mut rules);
    kernel(cluster, &mut rules);
}

fn kernel(cluster: &Cluster, rules: &mut Rules<'_>) {
    let kernel = &cluster.kernel;
    let timeouts = [
        ("tcp_timeout", kernel.tcp_timeout),
        ("tcp_fin_timeout", kernel.tcp_fin_timeout),
        ("udp_timeout", kernel.udp_timeout),
    ];
    for (name, timeout) in timeouts {
        if timeout.is_some_and(|timeout| timeout.as_secs() == 0) {
            let help = "write 1s or more, or leave it out to keep the kernel's";
            rules.error(Part::Kernel(name), format!("{name} is less than a second"), help);
        }
    }
    let Some(sync) = &kernel.sync else { return };
    if let Some(group) = sync.group.filter(|group| !group.is_multicast()) {
        let help = "write a multicast group such as 224.0.0.81, or leave it out";
        rules.error(Part::Kernel("sync"), format!("{group} is no multicast group"), help);
    }
    if cluster.pair.is_none() {
        let help = "name two routers, or remove it";
        rules.warning(
            Part::Kernel("sync"),
            "connections are copied, but there is no partner",
            help,
        );
    }
}

#[cfg(test)]
mod tests;
