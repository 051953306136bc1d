//! lvs_dr.conf, the configuration of Joseph Mack's configure-lvs: a single director, `KEY=words` on
//! each line.
//!
//! Carried: LVS_TYPE, VIP and each SERVICE. What is about the hosts themselves (addresses, devices,
//! gateways) is listed with its line. Nothing is checked, as the scripts that configure-lvs writes
//! check nothing.

use std::net::{IpAddr, SocketAddr};

use ipvs::{Forwarding, Protocol};

use crate::diagnostic::Diagnostics;
use crate::files::Files;
use crate::foreign::hosts;
use crate::foreign::ports::port;
use crate::foreign::report::Reporter;
use crate::foreign::table::{
    Report, did_you_mean, host, scheduler, tell_unchecked, unchecked_server, unchecked_service,
};
use crate::foreign::word::{Word, lines};
use crate::model::{Endpoint, Listen, RealServer, VirtualServer};
use crate::places::{Part, Places};
use crate::source::Source;
use crate::{Cluster, nearest};

/// Every key, and for those that are not carried what to do instead.
const KEYS: [(&str, &str); 14] = [
    ("LVS_TYPE", ""),
    ("VIP", ""),
    ("SERVICE", ""),
    ("INITIAL_STATE", "the table is always filled"),
    (
        "DIRECTOR_INSIDEIP",
        "the director keeps its own address: give it with the system's network settings",
    ),
    ("DIP", "the director keeps its own address: give it with the system's network settings"),
    (
        "SERVER_VIP_DEVICE",
        "run `lvsctl realserver up --interface dummy0` on each real server: it gives the floating address to a device that answers no ARP",
    ),
    ("SERVER_NET_DEVICE", "nothing is set on a real server from here"),
    ("DIRECTOR_DEFAULT_GW", "set routes with the system's network settings"),
    ("DIRECTOR_GW", "set routes with the system's network settings"),
    ("SERVER_DEFAULT_GW", "set routes on each real server; for NAT the director is the gateway"),
    ("SERVER_GW", "set routes on each real server; for NAT the director is the gateway"),
    ("CLEAR_IPVS_TABLES", "the table is never cleared: what differs is changed"),
    ("CLIENT", "nothing is tried from a client"),
];

/// One line: a key and the words behind it.
struct Setting {
    key: Word,
    words: Vec<Word>,
}

/// Whether a line is one of this format: no other has keys in capitals.
pub(crate) fn is_line(line: &str) -> bool {
    let key = line.split('=').next().unwrap_or_default().trim_end();
    line.contains('=') && KEYS.iter().any(|(known, _)| *known == key)
}

/// Reads the file.
pub(crate) fn parse(
    source: &Source,
    files: &mut Files<'_>,
    out: &mut Diagnostics,
    places: &mut Places,
) -> Option<Cluster> {
    let mut lookup = hosts::lookup(files);
    let mut report = Report { source, out, lookup: &mut lookup };
    let settings = settings(&mut report);
    let forwarding = forwarding(&mut report, &settings);
    let vip = vip(&mut report, &settings);
    let mut cluster = crate::foreign::cluster();
    for setting in settings.iter().filter(|setting| setting.key.text == "SERVICE") {
        let Some(service) = service(&mut report, setting, vip, forwarding) else { continue };
        if cluster.services.iter().any(|known| known.listen == service.listen) {
            let message = format!("{} is given twice", service.name);
            report.error(&setting.key.span, message, "put all its real servers on one line");
            continue;
        }
        places.record(Part::Service(cluster.services.len()), source, setting.key.span.clone());
        cluster.services.push(service);
    }
    let checked = "no real server is checked, as before";
    if tell_unchecked(&mut report, &cluster, places, checked) {
        return Some(cluster);
    }
    if !settings.iter().any(|setting| setting.key.text == "SERVICE") {
        let help = "add a line as SERVICE=t www rr 192.168.1.4:www 192.168.1.5:www";
        report.error(&(0..0), "there is no SERVICE", help);
    }
    Some(cluster)
}

/// The lines that hold something. What is not carried is told here.
fn settings(report: &mut Report<'_>) -> Vec<Setting> {
    let mut found: Vec<Setting> = Vec::new();
    for line in lines(report.source) {
        let text = line.text.split('#').next().unwrap_or_default();
        let line = line.word(0..text.len()).trimmed();
        if line.text.is_empty() {
            continue;
        }
        let Some(equals) = line.text.find('=') else {
            let help = "write KEY=VALUE, or # before a comment";
            report.error(&line.span, format!("`{}` is no setting", line.text), help);
            continue;
        };
        let key = line.part(0..equals).trimmed();
        let words = line.part(equals + 1..line.text.len()).split(|_| false);
        match KEYS.iter().find(|(known, _)| *known == key.text) {
            None => {
                let near = nearest(&key.text, KEYS.iter().map(|(known, _)| *known));
                let help = near.map_or_else(
                    || "nothing is made of it: remove it once you have read it".to_owned(),
                    |near| format!("did you mean {near}?"),
                );
                report.warning(&key.span, format!("`{}` is not known", key.text), help);
            }
            Some((_, "")) => {
                if words.is_empty() {
                    report.error(&key.span, format!("{} has no value", key.text), example(&key));
                }
                found.push(Setting { key, words });
            }
            Some(("INITIAL_STATE", _)) if words.iter().any(|word| word.text == "on") => {}
            Some((known, instead)) => {
                report.warning(&key.span, format!("{known} is not carried"), *instead);
            }
        }
    }
    found
}

/// How a key may be written.
fn example(key: &Word) -> &'static str {
    match key.text.as_str() {
        "LVS_TYPE" => "write LVS_TYPE=VS_DR, VS_NAT or VS_TUN",
        "VIP" => "write VIP=eth0:1 192.168.1.1 255.255.255.255 192.168.1.1",
        _ => "write SERVICE=t www rr 192.168.1.4:www 192.168.1.5:www",
    }
}

/// The last one of a key.
fn last<'s>(settings: &'s [Setting], key: &str) -> Option<&'s Setting> {
    settings.iter().rev().find(|setting| setting.key.text == key)
}

fn forwarding(report: &mut Report<'_>, settings: &[Setting]) -> Forwarding {
    let Some(setting) = last(settings, "LVS_TYPE") else {
        let help = "add LVS_TYPE=VS_DR, VS_NAT or VS_TUN";
        report.error(&(0..0), "LVS_TYPE is missing", help);
        return Forwarding::Direct;
    };
    let Some(word) = setting.words.first() else { return Forwarding::Direct };
    match word.text.as_str() {
        "VS_DR" => Forwarding::Direct,
        "VS_NAT" => Forwarding::Nat,
        "VS_TUN" => Forwarding::Tunnel,
        other => {
            let help = did_you_mean(other, &["VS_DR", "VS_NAT", "VS_TUN"]);
            report.error(&word.span, format!("`{other}` is no LVS_TYPE"), help);
            Forwarding::Direct
        }
    }
}

/// `DEVICE ADDRESS NETMASK BROADCAST`, of which the address alone is the table's.
fn vip(report: &mut Report<'_>, settings: &[Setting]) -> Option<IpAddr> {
    let Some(setting) = last(settings, "VIP") else {
        report.error(
            &(0..0),
            "VIP is missing",
            "add VIP=eth0:1 192.168.1.1 255.255.255.255 192.168.1.1",
        );
        return None;
    };
    let found = setting.words.iter().find_map(|word| address(report, word));
    let Some(address) = found else {
        if !setting.words.is_empty() {
            let help = "write VIP=DEVICE ADDRESS NETMASK BROADCAST";
            report.error(&setting.key.span, "VIP names no address", help);
        }
        return None;
    };
    let help = "a single director takes no addresses: keep it in the system's network settings, or name two routers and put it into `groups`";
    report.warning(&setting.key.span, format!("the device of {address} is not carried"), help);
    Some(address)
}

/// An address, or that of a name in /etc/hosts.
fn address(report: &mut Report<'_>, word: &Word) -> Option<IpAddr> {
    word.text.parse().ok().or_else(|| (report.lookup)(&word.text).first().copied())
}

/// `t www rr rs1:www rs2:www,3`
fn service(
    report: &mut Report<'_>,
    setting: &Setting,
    vip: Option<IpAddr>,
    forwarding: Forwarding,
) -> Option<VirtualServer> {
    let [protocol, name, algorithm, servers @ ..] = setting.words.as_slice() else {
        if !setting.words.is_empty() {
            let message = "SERVICE wants a protocol, a port and a scheduler";
            report.error(&setting.key.span, message, example(&setting.key));
        }
        return None;
    };
    let protocol = match protocol.text.as_str() {
        "t" => Protocol::Tcp,
        "u" => Protocol::Udp,
        other => {
            let message = format!("`{other}` is no protocol");
            report.error(&protocol.span, message, "write t for TCP or u for UDP");
            return None;
        }
    };
    let scheduler = scheduler(report, algorithm);
    let number = numbered(report, name)?;
    let address = SocketAddr::new(vip?, number);
    let listen = Listen::Addresses(vec![Endpoint { address, protocol }]);
    let servers: Vec<_> =
        servers.iter().filter_map(|word| real(report, word, number, forwarding)).collect();
    if servers.is_empty() {
        let help = "name the real servers behind the scheduler, as 192.168.1.4:www";
        report.warning(&setting.key.span, "this service has no real server", help);
    }
    Some(VirtualServer { servers, ..unchecked_service(listen, scheduler) })
}

fn numbered(report: &mut Report<'_>, word: &Word) -> Option<u16> {
    port(&word.text)
        .map_err(|bad| {
            let (message, help) = bad.words(&word.text);
            report.error(&word.span, message, help);
        })
        .ok()
}

/// `rs1:www`, `192.168.1.4:80`, with `,WEIGHT` behind it perhaps.
fn real(
    report: &mut Report<'_>,
    word: &Word,
    service_port: u16,
    forwarding: Forwarding,
) -> Option<RealServer> {
    let comma = word.text.find(',').unwrap_or(word.text.len());
    let place = word.part(0..comma);
    let weight = match word.text.get(comma + 1..) {
        None | Some("") => 1,
        Some(weight) => match weight.parse::<u32>() {
            Ok(weight) => weight,
            Err(_) => {
                let at = word.part(comma + 1..word.text.len());
                report.error(&at.span, format!("`{weight}` is no weight"), "write a whole number");
                return None;
            }
        },
    };
    let colon = place.text.rfind(':').unwrap_or(place.text.len());
    let name = place.part(0..colon);
    let host = host(report, &name)?;
    let own = if colon < place.text.len() {
        Some(numbered(report, &place.part(colon + 1..place.text.len()))?)
    } else {
        None
    };
    let mut own = own.filter(|own| *own != service_port);
    if let (Some(port), true) = (own, forwarding != Forwarding::Nat) {
        let help = "write the service's port: only VS_NAT can change it";
        report.warning(
            &place.span,
            format!("port {port} is not used: packets keep the service's"),
            help,
        );
        own = None;
    }
    Some(RealServer { weight, ..unchecked_server(host, own, forwarding) })
}
