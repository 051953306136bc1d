//! From a path to a checked model: tells the format from the content and reads all files.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::files::{Files, Lister, Reader};
use crate::places::{Part, Places};
use crate::source::Source;
use crate::{
    Cluster, Severity, check, heartbeat_v1, keepalived, ldirectord, lvs_cf, native, passwords,
};
use crate::{ipvsadm, lvs_dr};

/// The formats that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Ours: YAML.
    Native,
    /// Piranha's lvs.cf.
    LvsCf,
    /// ldirectord's configuration alone.
    Ldirectord,
    /// A folder like /etc/ha.d: ha.cf, haresources, authkeys, and what they name.
    HaFolder,
    /// keepalived.conf.
    Keepalived,
    /// configure-lvs's lvs_dr.conf.
    LvsDr,
    /// What `ipvsadm -S` prints.
    Ipvsadm,
}

impl Format {
    /// Every one of them, as a command line names it.
    pub const NAMED: [(&str, Self); 7] = [
        ("native", Self::Native),
        ("lvs.cf", Self::LvsCf),
        ("ldirectord.cf", Self::Ldirectord),
        ("ha.d", Self::HaFolder),
        ("keepalived.conf", Self::Keepalived),
        ("lvs_dr.conf", Self::LvsDr),
        ("ipvsadm", Self::Ipvsadm),
    ];

    /// The format's name for a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "Caribe's own",
            Self::LvsCf => "lvs.cf",
            Self::Ldirectord => "ldirectord.cf",
            Self::HaFolder => "ha.d folder",
            Self::Keepalived => "keepalived.conf",
            Self::LvsDr => "lvs_dr.conf",
            Self::Ipvsadm => "ipvsadm -S",
        }
    }
}

/// What came of reading a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// The format that was recognised.
    pub format: Format,
    /// The model; there exactly when no diagnostic is an error.
    pub cluster: Option<Cluster>,
    /// Every problem found.
    pub diagnostics: Vec<Diagnostic>,
    /// What is written in a sound file and not needed here, with the reason: for a person who looks
    /// at the file, not for the log of a daemon that reads it each time.
    pub notes: Vec<Diagnostic>,
    /// Every file that was asked for, to watch.
    pub files: Vec<PathBuf>,
    /// Over the bytes of all files, the same on both routers and in every release.
    pub hash: u64,
}

/// How files and folders are looked at.
pub struct Disk<'a> {
    /// Reads a file.
    pub read: &'a Reader<'a>,
    /// Reads a file with a password, which nobody else may read.
    pub private: &'a Reader<'a>,
    /// The names in a folder.
    pub list: &'a Lister<'a>,
}

/// Reads the configuration at `path`, a file or (`is_dir`) a folder like /etc/ha.d.
pub fn load(path: &Path, is_dir: bool, read: &Reader<'_>) -> Loaded {
    load_from(&Disk { read, private: read, list: &|_| Vec::new() }, path, is_dir, Given::default())
}

/// What a person says of a configuration beside its path.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// The other router's file, for a format of which each file tells one router.
    pub partner: Option<&'a Path>,
    /// The format; without it, it is told from the content.
    pub format: Option<Format>,
}

/// [`load`] where folders can be looked into, and a person says more.
pub fn load_from(disk: &Disk<'_>, path: &Path, is_dir: bool, given: Given<'_>) -> Loaded {
    let partner = given.partner;
    let mut out = Diagnostics::new();
    let mut places = Places::default();
    let mut files = Files::new(disk.read).with_folders(disk.list).with_private(disk.private);
    let folder = folder_of(path, is_dir || given.format == Some(Format::HaFolder));
    let alone = folder.filter(|_| given.format.is_none()).and_then(|folder| {
        let alone =
            is_without_heartbeat(&files.names(folder)).then(|| folder.join(LDIRECTORD_FILE))?;
        // The others may appear.
        files.watch(folder);
        Some(alone)
    });
    let path = alone.as_deref().unwrap_or(path);
    let folder = folder.filter(|_| alone.is_none());
    let (format, mut cluster) = match folder {
        Some(folder) => {
            let cluster = heartbeat_v1::parse(folder, &mut files, &mut out, &mut places);
            (Format::HaFolder, cluster)
        }
        None => load_file(path, given, &mut files, &mut out, &mut places),
    };
    if let Some(partner) = partner.filter(|_| format != Format::Keepalived) {
        let help = "give one file: only of keepalived.conf each router has one of its own";
        let message = format!("{} tells of both routers by itself", path.display());
        out.whole_file(Severity::Error, &partner.display().to_string(), message, help);
    }
    if let Some(cluster) = &mut cluster {
        let folder = folder.or(path.parent()).unwrap_or(Path::new(""));
        passwords::read(cluster, folder, &mut files, &mut out, &places);
        check::check(cluster, format, &places, &mut out);
    }
    out.hide_passwords();
    let cluster = cluster.filter(|_| !out.has_errors());
    let (files, hash) = files.finish();
    let (mut notes, diagnostics): (Vec<_>, _) =
        out.into_vec().into_iter().partition(|told| told.severity == Severity::Note);
    // Of a file that is refused, the errors are what counts.
    notes.retain(|_| cluster.is_some());
    Loaded { format, cluster, diagnostics, notes, files, hash }
}

/// ldirectord's own file in a folder of heartbeat.
const LDIRECTORD_FILE: &str = "ldirectord.cf";

/// Whether a folder with these names is that of a single director: ldirectord's file is in its
/// usual place, and nothing of heartbeat is.
fn is_without_heartbeat(names: &[String]) -> bool {
    let has = |name: &str| names.iter().any(|known| known == name);
    has(LDIRECTORD_FILE) && !has("ha.cf") && !has("haresources")
}

/// A folder is named as such, or by one of the two files that only mean something together.
fn folder_of(path: &Path, is_dir: bool) -> Option<&Path> {
    let name = path.file_name().and_then(|name| name.to_str());
    match name {
        _ if is_dir => Some(path),
        Some("ha.cf" | "haresources") => Some(path.parent().unwrap_or(Path::new("."))),
        _ => None,
    }
}

fn load_file(
    path: &Path,
    given: Given<'_>,
    files: &mut Files<'_>,
    out: &mut Diagnostics,
    places: &mut Places,
) -> (Format, Option<Cluster>) {
    let Some(source) = source_of(path, files, out) else { return (Format::Native, None) };
    places.record(Part::File, &source, 0..0);
    let format = given.format.unwrap_or_else(|| detect(source.bytes()));
    let cluster = match format {
        Format::LvsCf => lvs_cf::parse(&source, files, out, places),
        Format::Ldirectord => {
            let folder = path.parent().unwrap_or(Path::new("."));
            let mut cluster = ldirectord::read(folder, &source, files, out, places);
            ldirectord::unique_names(&mut cluster, places, out);
            Some(cluster)
        }
        Format::Keepalived => {
            let mut all = vec![keepalived::Given { path, source }];
            if let Some(path) = given.partner {
                let partner = source_of(path, files, out);
                all.extend(partner.map(|source| keepalived::Given { path, source }));
            }
            keepalived::parse(&all, files, out, places)
        }
        Format::LvsDr => lvs_dr::parse(&source, files, out, places),
        Format::Ipvsadm => ipvsadm::parse(&source, files, out, places),
        Format::Native | Format::HaFolder => native::parse(path, &source, files, out, places),
    };
    (format, cluster)
}

/// A file's text; one that cannot be read is reported.
fn source_of(path: &Path, files: &mut Files<'_>, out: &mut Diagnostics) -> Option<Source> {
    let name = path.display().to_string();
    match files.read(path) {
        Ok(bytes) => Some(Source::new(name, &bytes)),
        Err(error) => {
            let help = "name the file or folder that holds the configuration, and let the daemon's user read it".to_string();
            out.whole_file(Severity::Error, &name, format!("cannot be read: {error}"), help);
            None
        }
    }
}

/// Words that begin a line of lvs.cf, and never one of ldirectord.cf.
const LVS_CF: [&str; 21] = [
    "serial_no",
    "primary",
    "primary_private",
    "primary_shared",
    "backup",
    "backup_active",
    "backup_private",
    "backup_shared",
    "heartbeat",
    "heartbeat_port",
    "keepalive",
    "deadtime",
    "network",
    "nat_router",
    "nat_nmask",
    "debug_level",
    "reservation_conflict_action",
    "monitor_links",
    "service",
    "rsh_command",
    "syncdaemon",
];

/// Words that begin a line of ldirectord.cf, and never one of lvs.cf.
const LDIRECTORD: [&str; 15] = [
    "checktimeout",
    "checkinterval",
    "negotiatetimeout",
    "checkcount",
    "failurecount",
    "autoreload",
    "logfile",
    "quiescent",
    "cleanstop",
    "emailalert",
    "supervised",
    "fork",
    "real",
    "real6",
    "fallback",
];

/// Words that begin a block of keepalived.conf, and nothing in any other format.
const KEEPALIVED: [&str; 16] = [
    "global_defs",
    "vrrp_instance",
    "vrrp_sync_group",
    "vrrp_script",
    "vrrp_track_process",
    "virtual_server",
    "virtual_server_group",
    "static_ipaddress",
    "static_routes",
    "static_rules",
    "include",
    "includer",
    "includem",
    "includew",
    "includeb",
    "includea",
];

/// Tells the format by a vote of the lines; without any, it is taken for ours.
pub fn detect(bytes: &[u8]) -> Format {
    let text = String::from_utf8_lossy(bytes);
    let (mut native, mut lvs_cf, mut ldirectord) = (0_u32, 0_u32, 0_u32);
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '!'])) {
        let end = line.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        let (word, rest) = line.split_at(end.unwrap_or(line.len()));
        let after = rest.trim_start();
        if ipvsadm::is_line(line) {
            return Format::Ipvsadm;
        } else if lvs_dr::is_line(line) {
            return Format::LvsDr;
        } else if word.is_empty() {
        } else if KEEPALIVED.contains(&word) && !after.starts_with([':', '=']) {
            // No other format has one of these words, and no file of it goes without.
            return Format::Keepalived;
        } else if after == ":" || after.starts_with(": ") {
            native += 1;
        } else if matches!(word, "virtual" | "server" | "failover") && after.ends_with('{') {
            lvs_cf += 1;
        } else if after.starts_with('=') {
            let word = word.to_lowercase();
            if LVS_CF.contains(&word.as_str()) {
                lvs_cf += 1;
            } else if LDIRECTORD.contains(&word.as_str()) || word.starts_with("virtual") {
                ldirectord += 1;
            }
        }
    }
    if lvs_cf > ldirectord.max(native) {
        Format::LvsCf
    } else if ldirectord > native {
        Format::Ldirectord
    } else {
        Format::Native
    }
}

#[cfg(test)]
mod tests;
