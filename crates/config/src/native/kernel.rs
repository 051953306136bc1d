//! The section `kernel`.

use super::pair::interface_key;
use super::section::{Reading, Section};
use crate::model::{ConnectionSync, Kernel, Switch, Sysctls};
use crate::places::Part;

/// The kernel's settings.
pub(super) fn kernel<'n, 'a: 'n>(reading: &mut Reading<'a>, top: &mut Section<'n>) -> Kernel {
    let at = top.span_of("kernel").unwrap_or(0..0);
    let node = reading.given(top, "kernel");
    let Some(mut section) = node.and_then(|node| reading.section("kernel", node, at)) else {
        return Kernel::default();
    };
    let kernel = Kernel {
        tcp_timeout: reading.seconds(&mut section, "tcp_timeout"),
        tcp_fin_timeout: reading.seconds(&mut section, "tcp_fin_timeout"),
        udp_timeout: reading.seconds(&mut section, "udp_timeout"),
        sync: sync(reading, &mut section),
        sysctls: Sysctls {
            expire_nodest_conn: switched(reading, &mut section, "expire_nodest_conn"),
            expire_quiescent_template: switched(reading, &mut section, "expire_quiescent_template"),
            conn_reuse_mode: reading.integer(&mut section, "conn_reuse_mode"),
            ip_forward: reading.choice(&mut section, "ip_forward", switch),
            send_redirects: reading.choice(&mut section, "send_redirects", switch),
        },
    };
    reading.finish(section);
    kernel
}

fn sync<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
) -> Option<ConnectionSync> {
    let at = section.span_of("sync")?;
    reading.record(Part::Kernel("sync"), at.clone());
    let node = reading.given(section, "sync")?;
    let mut map = reading.section("kernel.sync", node, at)?;
    let interface = interface_key(reading, &mut map);
    let interface = reading.require(&map, "interface", interface);
    let sync = ConnectionSync {
        interface: interface.clone().unwrap_or_default(),
        id: reading.integer(&mut map, "id").unwrap_or(0),
        group: reading.address(&mut map, "group"),
        port: reading.integer(&mut map, "port"),
        ttl: reading.integer(&mut map, "ttl"),
        max_length: reading.integer(&mut map, "max_length"),
    };
    reading.finish(map);
    interface.map(|_| sync)
}

fn switch(word: &str) -> Option<Switch> {
    match word {
        "on" => Some(Switch::On),
        "off" => Some(Switch::Off),
        "keep" => Some(Switch::Keep),
        _ => None,
    }
}

fn switched<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
    name: &str,
) -> Switch {
    reading.choice(section, name, switch).unwrap_or_default()
}
