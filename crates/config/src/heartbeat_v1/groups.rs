//! From the lines of haresources to groups, services and the connection sync.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use super::address::address;
use super::haresources::{Entry, Resource};
use super::report::Report;
use crate::Cluster;
use crate::diagnostic::Diagnostics;
use crate::files::Files;
use crate::foreign::report::Reporter;
use crate::foreign::word::Word;
use crate::ldirectord;
use crate::model::{ConnectionSync, Failback, Group, Hook, HookOrder};
use crate::places::{Part, Places};
use crate::source::Source;

/// How long a program may run. heartbeat waits for ever; mounting a file system takes a while.
const HOOK_TIME: Duration = Duration::from_secs(60);
/// The interface of LVSSyncDaemonSwap when none is named.
const SYNC_INTERFACE: &str = "eth0";

/// What is put together from all lines.
pub(super) struct Reading<'a, 'r> {
    pub(super) folder: &'a Path,
    pub(super) files: &'a mut Files<'r>,
    pub(super) places: &'a mut Places,
    /// The routers, as ha.cf names them; empty when it could not be read.
    pub(super) nodes: &'a [Word],
    /// The routers, as haresources names them.
    pub(super) wanted: Vec<String>,
    pub(super) failback: Failback,
    pub(super) cluster: Cluster,
    pub(super) groups: Vec<Group>,
    /// The names of the files of ldirectord that were read.
    pub(super) read: HashSet<String>,
}

impl Reading<'_, '_> {
    /// Adds one line.
    pub(super) fn add(&mut self, report: &mut Report<'_>, entry: &Entry) {
        let Some(node) = &entry.node else { return };
        let index = self.groups.len();
        self.places.record(Part::Group(index), &report.source, node.span.clone());
        self.places.record(Part::Preferred(index), &report.source, node.span.clone());
        let preferred = self.router(report, node);
        let Some(first) = entry.resources.first() else {
            let help = format!("write `{} 192.168.1.1`", node.text);
            report.error(&node.span, format!("nothing belongs to {}", node.text), help);
            return;
        };
        let mut group = Group {
            name: name(node, entry),
            // Without its router, which was reported, it returns to nobody.
            failback: preferred.as_ref().map_or(Failback::Manual, |_| self.failback),
            preferred,
            addresses: Vec::new(),
            hooks: Vec::new(),
        };
        for resource in &entry.resources {
            self.resource(report, index, &mut group, resource);
        }
        if self.groups.iter().any(|known| known.name == group.name) {
            let message = format!("another line of {} begins with this, too", node.text);
            let help =
                "put the resources of both on one line, or begin each with an address of its own";
            report.error(&first.word.span, message, help);
            return;
        }
        self.groups.push(group);
    }

    /// The router's name as ha.cf has it: heartbeat does not tell capitals.
    fn router(&self, report: &mut Report<'_>, node: &Word) -> Option<String> {
        let known = self.nodes.iter().find(|known| known.text.eq_ignore_ascii_case(&node.text));
        if known.is_some() || self.nodes.is_empty() {
            return known.map(|known| known.text.clone());
        }
        let names: Vec<&str> = self.nodes.iter().map(|known| known.text.as_str()).collect();
        let message =
            format!("`{}` is no router: `node` in ha.cf says {}", node.text, names.join(" and "));
        let pair = match self.wanted.as_slice() {
            [one, other] => format!("{one} {other}"),
            _ => format!("{} PARTNER", node.text),
        };
        let help = format!(
            "`node` names the two routers, not the real servers: write `node {pair}` in ha.cf, each name as `uname -n` prints it there"
        );
        report.error(&node.span, message, help);
        None
    }

    fn resource(
        &mut self,
        report: &mut Report<'_>,
        index: usize,
        group: &mut Group,
        resource: &Resource,
    ) {
        let span = resource.word.span.clone();
        match resource.script.as_str() {
            _ if resource.is_address() => {
                if let Some(found) = address(report, resource) {
                    let part = Part::Address(index, group.addresses.len());
                    self.places.record(part, &report.source, span);
                    group.addresses.push(found);
                }
            }
            "ldirectord" => self.director(report, resource),
            "LVSSyncDaemonSwap" => self.sync(report, resource),
            _ => {
                let Some(program) = self.program(report, resource) else { return };
                let part = Part::Hook(index, group.hooks.len());
                self.places.record(part, &report.source, span);
                let order = if group.addresses.is_empty() {
                    HookOrder::BeforeAddresses
                } else {
                    HookOrder::AfterAddresses
                };
                group.hooks.push(hook(resource, &program, order));
            }
        }
    }

    /// The services of a file of ldirectord: in the folder, then in its `conf`; a whole path is
    /// itself.
    fn director(&mut self, report: &mut Report<'_>, resource: &Resource) {
        let named = resource.arguments.first().map(String::as_str);
        let name = named.filter(|name| !name.is_empty()).unwrap_or("ldirectord.cf").to_string();
        if !self.read.insert(name.clone()) {
            return;
        }
        let candidates = [self.folder.join(&name), self.folder.join("conf").join(&name)];
        for path in &candidates {
            if let Ok(bytes) = self.files.read(path) {
                let source = Source::new(path.display().to_string(), &bytes);
                self.services(&source, report.out);
                return;
            }
        }
        let [first, second] = candidates.map(|path| path.display().to_string());
        let message = format!("the file {name} cannot be read");
        let help = format!("it was looked for as {first} and {second}");
        report.error(&resource.word.span, message, help);
    }

    fn services(&mut self, source: &Source, out: &mut Diagnostics) {
        let mut places = Places::default();
        let read = ldirectord::read(self.folder, source, self.files, out, &mut places);
        let offset = self.cluster.services.len();
        self.places.absorb(places, |part| part.shifted(offset));
        ldirectord::add(&mut self.cluster, read);
    }

    /// Both routers send and receive all the time, so that nothing is swapped.
    fn sync(&mut self, report: &mut Report<'_>, resource: &Resource) {
        let role = resource.arguments.first().map_or("", String::as_str);
        if !matches!(role, "master" | "backup") {
            let help =
                "write `LVSSyncDaemonSwap::master`, with `::eth1` behind it for that interface";
            report.error(&resource.word.span, "LVSSyncDaemonSwap has no role", help);
            return;
        }
        let interface = resource.arguments.get(1).map_or(SYNC_INTERFACE, String::as_str);
        self.cluster.kernel.sync.get_or_insert(ConnectionSync {
            interface: interface.to_string(),
            id: 0,
            group: None,
            port: None,
            ttl: None,
            max_length: None,
        });
    }

    /// The script in the folder's `resource.d`, then the system's own.
    fn program(&self, report: &mut Report<'_>, resource: &Resource) -> Option<String> {
        let script = &resource.script;
        if script.is_empty() || script.contains(['/', '\\', ':']) || script.starts_with('.') {
            let help = "write the name of a script in resource.d, with `::` before each argument";
            let message = format!("`{}` is no resource", resource.word.text);
            report.error(&resource.word.span, message, help);
            return None;
        }
        let own = self.folder.join("resource.d").join(script);
        let system = Path::new("/etc/init.d").join(script);
        for path in [&own, &system] {
            if self.files.exists(path) {
                return Some(path.display().to_string());
            }
        }
        let own = own.display().to_string();
        let message = format!("there is no program for `{script}`");
        let help = format!(
            "{own} will be run, with `start` and `stop`: put it there, or remove the resource; {} is not there either",
            system.display()
        );
        report.warning(&resource.word.span, message, help);
        Some(own)
    }
}

/// Group names are for logs and commands: `master-192.168.1.1`.
fn name(node: &Word, entry: &Entry) -> String {
    let address = entry.resources.iter().find(|resource| resource.is_address());
    let what = match address.and_then(|resource| resource.arguments.first()) {
        Some(argument) => argument.split('/').next().unwrap_or_default(),
        None => entry.resources.first().map_or("", |resource| resource.script.as_str()),
    };
    format!("{}-{what}", node.text.to_lowercase())
}

fn hook(resource: &Resource, program: &str, order: HookOrder) -> Hook {
    let argv = |verb: &str| {
        let arguments = resource.arguments.iter().map(String::as_str);
        let words = std::iter::once(program).chain(arguments).chain(std::iter::once(verb));
        words.map(str::to_string).collect()
    };
    Hook {
        name: resource.word.text.clone(),
        start: argv("start"),
        stop: argv("stop"),
        status: argv("status"),
        timeout: HOOK_TIME,
        order,
    }
}
