//! What a file tells one router: its lines, worked out and read.

use std::path::Path;

use super::build::{Block, Built};
use super::global::Global;
use super::include::Store;
use super::instance::{Instance, SyncGroup};
use super::known::{TOP, is_read};
use super::lines::Lines;
use super::listen;
use super::report::Report;
use super::service::Raw;
use super::text::At;
use super::tree::{Node, tree};

/// One router's view.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The name that its lines begin with (`@NAME`), or the router's own.
    pub(super) label: Option<String>,
    pub(super) global: Global,
    pub(super) instances: Vec<Instance>,
    pub(super) groups: Vec<SyncGroup>,
    pub(super) services: Vec<Built>,
}

/// The statements of a file for the router `id`, and every name that lines are for.
pub(super) fn statements(
    path: &Path,
    source: usize,
    store: &mut Store<'_, '_>,
    report: &mut Report,
    id: Option<&str>,
) -> (Vec<Node>, Vec<(String, At)>) {
    let mut lines = Lines::new(store, report, id);
    lines.file(path, source, 0);
    let (found, ids) = (lines.found, lines.ids);
    (tree(&found, report), ids)
}

impl View {
    /// Reads the statements.
    pub(super) fn read(report: &mut Report, nodes: &[Node], label: Option<String>) -> Self {
        let mut view = Self { label, ..Self::default() };
        let nodes: Vec<&Node> = nodes.iter().filter(|node| is_read(report, node, &TOP)).collect();
        let called = |name: &'static str| {
            let all = nodes.iter().copied();
            all.filter(move |node| node.name.text == name)
        };
        for node in called("global_defs") {
            view.global.read(report, &node.block);
        }
        for node in called("vrrp_instance") {
            let found = Instance::read(report, node, &view.global);
            view.instances.extend(found);
        }
        for node in called("vrrp_sync_group") {
            view.groups.extend(SyncGroup::read(report, node));
        }
        for node in called("SSL") {
            let help = "checks show no certificate of their own; `ca_file` of a check names the authorities that it trusts";
            report.secret(&node.name.at, "`SSL` is not carried", help);
        }
        let groups: Vec<listen::Group> =
            called("virtual_server_group").filter_map(|node| listen::group(report, node)).collect();
        for node in called("virtual_server") {
            let raw = Raw::read(report, &node.block);
            let Some((taken, group)) = listen::of(report, node, &groups) else { continue };
            let at = node.value_at();
            let block = Block {
                at,
                taken: &taken,
                group: group.as_deref(),
                raw: &raw,
                mails: &view.global.mails,
            };
            let built = block.build(report);
            view.services.extend(built);
        }
        view
    }
}
