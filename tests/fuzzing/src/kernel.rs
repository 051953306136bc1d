//! What the kernel says over netlink.

use ipvs::Family;
use ipvs::wire::{
    Attributes, Payload, decode_daemon, decode_destination, decode_info, decode_service,
    decode_timeouts,
};

/// Deeper than this no message of the kernel goes.
const DEPTH: usize = 8;

/// Attributes, read as everything that they could be. What is read is written and read again as
/// the same.
pub fn attributes(data: &[u8]) {
    walk(data, DEPTH);
    let _read = decode_service(data).is_ok()
        | decode_destination(data, Family::Inet).is_ok()
        | decode_destination(data, Family::Inet6).is_ok()
        | decode_info(data).is_ok()
        | decode_timeouts(data).is_ok()
        | decode_daemon(data).is_ok();
    let mut payload = Payload::default();
    let all: Vec<_> = Attributes::new(data).flatten().collect();
    for attribute in &all {
        payload.bytes(attribute.kind, attribute.value);
    }
    let bytes = payload.into_bytes();
    let again: Result<Vec<_>, _> = Attributes::new(&bytes).collect();
    assert_eq!(again, Ok(all));
}

/// Every value is within the bytes it came from, so the sum cannot exceed them.
fn walk(data: &[u8], depth: usize) {
    let mut sum = 0;
    for attribute in Attributes::new(data).flatten() {
        sum += attribute.value.len();
        let _ = attribute.text();
        if depth > 0 {
            walk(attribute.value, depth - 1);
        }
    }
    assert!(sum <= data.len());
}

/// A datagram of several messages.
pub fn datagram(data: &[u8]) {
    let (messages, understood) = netlink::datagram::read(data);
    assert!(understood <= messages && messages * 16 <= data.len());
}
