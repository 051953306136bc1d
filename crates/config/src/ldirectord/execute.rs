//! A file, and those that it names with `execute`.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;

use super::{Parsed, build, parse};
use crate::Cluster;
use crate::diagnostic::Diagnostics;
use crate::files::Files;
use crate::foreign::hosts::lookup;
use crate::foreign::word::Word;
use crate::places::Places;
use crate::source::Source;

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
    unique_names(&mut cluster);
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
fn unique_names(cluster: &mut Cluster) {
    let mut uses: HashMap<String, u32> = HashMap::new();
    for service in &cluster.services {
        *uses.entry(service.name.clone()).or_default() += 1;
    }
    for service in &mut cluster.services {
        if uses.get(&service.name).is_some_and(|uses| *uses > 1) {
            service.name = build::default_name(&service.listen);
        }
    }
}
