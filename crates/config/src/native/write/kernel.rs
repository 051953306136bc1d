//! The section `kernel`.

use std::net::IpAddr;

use super::{Map, Yaml, render_duration};
use crate::model::{ConnectionSync, Kernel, Switch};

pub(super) fn kernel(kernel: &Kernel) -> Option<Yaml> {
    let mut map = Map::new("kernel");
    map.put_text_if("tcp_timeout", kernel.tcp_timeout.map(render_duration));
    map.put_text_if("tcp_fin_timeout", kernel.tcp_fin_timeout.map(render_duration));
    map.put_text_if("udp_timeout", kernel.udp_timeout.map(render_duration));
    map.put_some("sync", kernel.sync.as_ref().map(sync));
    let sysctls = &kernel.sysctls;
    map.put_unless_default("expire_nodest_conn", switch(sysctls.expire_nodest_conn).to_owned());
    map.put_unless_default(
        "expire_quiescent_template",
        switch(sysctls.expire_quiescent_template).to_owned(),
    );
    map.put_text_if("conn_reuse_mode", sysctls.conn_reuse_mode);
    map.put_text_if("ip_forward", sysctls.ip_forward.map(switch));
    map.put_text_if("send_redirects", sysctls.send_redirects.map(switch));
    (!map.entries.is_empty()).then(|| map.done())
}

fn sync(sync: &ConnectionSync) -> Yaml {
    let mut map = Map::new("kernel.sync");
    map.put_text("interface", &sync.interface);
    map.put_unless_default("id", sync.id.to_string());
    map.put_text_if("group", sync.group.as_ref().map(IpAddr::to_string));
    map.put_text_if("port", sync.port);
    map.put_text_if("ttl", sync.ttl);
    map.put_text_if("max_length", sync.max_length);
    map.done()
}

fn switch(switch: Switch) -> &'static str {
    match switch {
        Switch::On => "on",
        Switch::Off => "off",
        Switch::Keep => "keep",
    }
}
