//! A file, and those that it names with `execute`.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::Path;

use super::{Parsed, build, parse};
use crate::diagnostic::Diagnostics;
use crate::files::Files;
use crate::foreign::hosts::lookup;
use crate::foreign::word::Word;
use crate::places::{Part, Places};
use crate::source::Source;
use crate::{Cluster, Severity};

/// Where ldirectord looks for a file that stands nowhere else.
const USUAL: &str = "/etc/ha.d";

/// Reads a file of `folder` and those that it names. ldirectord runs itself once for each of them;
/// here one daemon keeps one table, so that all of them are one configuration.
pub(crate) fn read(
    folder: &Path,
    source: &Source,
    files: &mut Files<'_>,
    out: &mut Diagnostics,
    places: &mut Places,
) -> Cluster {
    let Parsed { mut cluster, executes } = parse(source, out, places, &mut lookup(files));
    let mut known = HashSet::from([source.file().to_owned()]);
    let mut waiting: VecDeque<(Source, Word)> =
        executes.into_iter().map(|word| (source.clone(), word)).collect();
    while let Some((from, word)) = waiting.pop_front() {
        let Some(source) = open(folder, &word.text, files) else {
            let message = format!("the file `{}` cannot be read", word.text);
            let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let help = format!("it is looked for in {} and {USUAL}", here.display());
            out.error(&from, word.span, message, help);
            continue;
        };
        if !known.insert(source.file().to_owned()) {
            continue;
        }
        let mut own = Places::default();
        let Parsed { cluster: more, executes } = parse(&source, out, &mut own, &mut lookup(files));
        let offset = cluster.services.len();
        places.absorb(own, |part| part.shifted(offset));
        add(&mut cluster, more);
        waiting.extend(executes.into_iter().map(|word| (source.clone(), word)));
    }
    cluster
}

/// Adds what another file says.
pub(crate) fn add(cluster: &mut Cluster, mut more: Cluster) {
    if more.on_stop != cluster.on_stop {
        for service in &mut more.services {
            service.on_stop = service.on_stop.or(Some(more.on_stop));
        }
    }
    cluster.services.append(&mut more.services);
    cluster.autoreload |= more.autoreload;
    cluster.maintenance = cluster.maintenance.take().or(more.maintenance);
    cluster.log_file = cluster.log_file.take().or(more.log_file);
    if cluster.on_edit.is_empty() {
        cluster.on_edit = more.on_edit;
    }
}

fn open(folder: &Path, name: &str, files: &mut Files<'_>) -> Option<Source> {
    let usual = Path::new(USUAL);
    let candidates = [folder.join(name), folder.join("conf").join(name), usual.join(name)];
    candidates.iter().find_map(|path| {
        let bytes = files.read(path).ok()?;
        Some(Source::new(path.display().to_string(), &bytes))
    })
}

/// Two virtual servers may have one `servicename` (for mails); here a name means one of them.
pub(crate) fn unique_names(cluster: &mut Cluster, places: &Places, out: &mut Diagnostics) {
    let mut uses: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, service) in cluster.services.iter().enumerate() {
        uses.entry(service.name.clone()).or_default().push(index);
    }
    for (name, users) in uses.into_iter().filter(|(_, users)| users.len() > 1) {
        for (number, index) in users.into_iter().enumerate() {
            let Some(service) = cluster.services.get_mut(index) else { continue };
            service.name = build::default_name(&service.listen);
            // Where the address is the same, too, that is what is told.
            if number > 0 && service.name != name {
                let message = format!("another virtual server is called `{name}`, too");
                let help = format!(
                    "a name means one of them here, so each goes by its address, this one by `{}`; give each a `servicename` of its own",
                    service.name
                );
                places.report(out, Severity::Warning, Part::Service(index), message, help);
            }
        }
    }
}
