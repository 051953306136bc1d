//! Floating addresses: `192.168.1.1 eth0:1`.

use std::net::IpAddr;

use super::lexer::Setting;
use super::service::span_of;
use super::values::{Report, Settings};
use crate::foreign::report::Reporter;
use crate::model::FloatingAddress;

/// Longest name of an interface or a label (`IFNAMSIZ` is 16, with the closing NUL).
const MAX_DEVICE: usize = 15;

/// The floating address of a block. The web tool writes 0.0.0.0 into a new one, which needs no
/// address before it is on.
pub(super) fn of_block(
    report: &mut Report<'_>,
    settings: Settings<'_>,
    setting: &Setting,
    active: bool,
) -> Option<FloatingAddress> {
    let ip = setting.values.first().and_then(|value| value.text.parse::<IpAddr>().ok());
    if !active && ip.is_some_and(|ip| ip.is_unspecified()) {
        return None;
    }
    address(report, settings, setting, "vip_nmask")
}

/// `IP dev:alias`, with its netmask. Without one the interface's own is taken: the class of the
/// address, which ifconfig goes by, has meant nothing since 1993.
pub(super) fn address(
    report: &mut Report<'_>,
    settings: Settings<'_>,
    setting: &Setting,
    mask: &str,
) -> Option<FloatingAddress> {
    let ip = report.address_of(setting.values.first()?)?;
    if ip.is_unspecified() {
        let span = span_of(setting);
        report.error(&span, "this address is no address yet", "write the floating address");
        return None;
    }
    let bits = if ip.is_ipv4() { 32 } else { 128 };
    let prefix_length = report.mask(settings, mask, bits);
    let Some(device) = setting.values.get(1) else {
        let help =
            "the interface whose network holds it is taken; write it behind: `192.168.1.1 eth0:1`";
        report.warning(&span_of(setting), "the address has no device", help);
        return Some(FloatingAddress {
            ip,
            prefix_length,
            interface: None,
            label: None,
            broadcast: None,
        });
    };
    if let Some(extra) = setting.values.get(2) {
        let message = format!("`{}` is too much here", extra.text);
        report.error(&extra.span, message, "an address has one device");
    }
    let interface = device.text.split(':').next().unwrap_or_default();
    if interface.is_empty() || device.text.len() > MAX_DEVICE || device.text.contains('/') {
        let message = format!("`{}` is no device", device.text);
        report.error(&device.span, message, "write an interface and an alias, like `eth0:1`");
        return None;
    }
    let label = device.text.contains(':').then(|| device.text.clone());
    Some(FloatingAddress {
        ip,
        prefix_length,
        interface: Some(interface.to_string()),
        label,
        broadcast: None,
    })
}
