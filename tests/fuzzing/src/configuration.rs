//! Files that a person wrote.

use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::path::Path;

use config::{Cluster, Loaded};

const HA_CF: &[u8] = include_bytes!("../../../etc/ha.d/ha.cf");
const HARESOURCES: &[u8] = include_bytes!("../../../etc/ha.d/haresources");
const AUTHKEYS: &[u8] = include_bytes!("../../../etc/ha.d/authkeys");
const LDIRECTORD: &[u8] = include_bytes!("../../../etc/ha.d/ldirectord.cf");

/// So many files there are: more would only make each input slow. That files which multiply are
/// read up to a bound is a test of config.
const FILES: usize = 8;

/// A file of any format by itself, and under every name that it includes: what is accepted is written
/// in our own format and read again as the same model. Every problem has a place within the text.
fn file(prefix: &str, data: &[u8]) {
    let text = [prefix.as_bytes(), data].concat();
    let read = Cell::new(0);
    let loaded = config::load(Path::new("fuzz.conf"), false, &|_| {
        read.set(read.get() + 1);
        if read.get() > FILES { Err(ErrorKind::NotFound.into()) } else { Ok(text.clone()) }
    });
    check(&loaded, &text);
}

/// Lines of a text. One without a line feed may be of an old Mac.
fn lines(text: &[u8]) -> usize {
    let end = if text.contains(&b'\n') { b'\n' } else { b'\r' };
    text.split(|byte| *byte == end).count()
}

fn check(loaded: &Loaded, text: &[u8]) {
    let rendered = config::render(&loaded.diagnostics, false);
    assert_eq!(rendered.is_empty(), loaded.diagnostics.is_empty());
    let lines = lines(text);
    for problem in &loaded.diagnostics {
        assert!(problem.line <= lines, "{}", problem.one_line());
        assert!(!problem.one_line().contains('\n'), "{}", problem.one_line());
    }
    if let Some(cluster) = &loaded.cluster {
        round_trip(cluster, loaded.format == config::Format::Native);
    }
}

/// Our own format holds every model that it was read from. Others may hold what ours refuses, and
/// that is told; whatever is accepted is the same.
fn round_trip(cluster: &Cluster, must: bool) {
    let text = config::native::write(cluster);
    let again = config::load(Path::new("again"), false, &|_| Ok(text.clone().into_bytes()));
    let problems = || format!("{}\n{text}", config::render(&again.diagnostics, false));
    assert!(!must || again.cluster.is_some(), "{}", problems());
    if let Some(again) = again.cluster {
        assert_eq!(&again, cluster, "{text}");
    }
}

/// Our own format.
pub fn native(data: &[u8]) {
    file("", data);
}

/// lvs.cf; the first line makes it one.
pub fn lvs_cf(data: &[u8]) {
    file("serial_no = 1\nprimary = 192.168.1.2\nservice = lvs\n", data);
}

/// ldirectord.cf; the first lines make it one.
pub fn ldirectord(data: &[u8]) {
    file("checktimeout=3\ncheckinterval=5\nautoreload=yes\n", data);
}

/// keepalived.conf, which may include itself; the first line makes it one.
pub fn keepalived(data: &[u8]) {
    file("global_defs {\n}\n", data);
}

/// What programs that only fill a table leave behind: the first byte chooses between `ipvsadm -S` and
/// lvs_dr.conf, whose first line makes it one.
pub fn tables(data: &[u8]) {
    match data.split_first() {
        Some((b'd', text)) => file("LVS_TYPE=VS_DR\n", text),
        Some((_, text)) => file("-A -t 10.0.0.1:80 -s wlc\n", text),
        None => {}
    }
}

/// A folder of heartbeat in which one file is the input.
fn folder(name: &str, data: &[u8]) {
    let read = |path: &Path| {
        let asked = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match asked {
            _ if asked == name => Ok(data.to_vec()),
            "ha.cf" => Ok(HA_CF.to_vec()),
            "haresources" => Ok(HARESOURCES.to_vec()),
            "authkeys" => Ok(AUTHKEYS.to_vec()),
            "ldirectord.cf" => Ok(LDIRECTORD.to_vec()),
            _ => Err(Error::from(ErrorKind::NotFound)),
        }
    };
    let loaded = config::load(Path::new("ha.d"), true, &read);
    let longest =
        [data, HA_CF, HARESOURCES, AUTHKEYS, LDIRECTORD].into_iter().max_by_key(|text| lines(text));
    check(&loaded, longest.unwrap_or_default());
}

/// ha.cf beside sound other files.
pub fn ha_cf(data: &[u8]) {
    folder("ha.cf", data);
}

/// haresources beside sound other files.
pub fn haresources(data: &[u8]) {
    folder("haresources", data);
}

/// authkeys: no problem shows a secret, and keys have numbers that the wire can carry.
pub fn authkeys(data: &[u8]) {
    keys(config::keys::parse_authkeys("authkeys", data));
}

/// Our own key file, likewise.
pub fn key_file(data: &[u8]) {
    keys(config::keys::parse_key_file("heartbeat.key", data));
}

fn keys(parsed: Result<Vec<config::keys::KeyMaterial>, Vec<config::Diagnostic>>) {
    match parsed {
        Ok(keys) => {
            assert!(!keys.is_empty());
            for (place, key) in keys.iter().enumerate() {
                assert!(key.id > 0 && !key.secret.expose().is_empty());
                assert!(keys.iter().skip(place + 1).all(|other| other.id != key.id));
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            assert!(problems.iter().all(|problem| problem.source_line.is_empty()));
        }
    }
}
