//! `check.dialogue` and `check.dns`.

use super::check::expect;
use super::scalar;
use super::section::{Reading, Section};
use super::tree::{Node, Span};
use crate::model::{CheckKind, Dialogue, DnsCheck, Exchange, Tls};

/// A dialogue in turns.
pub(super) fn dialogue<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    node: Node<'n>,
    at: Span,
) -> Option<CheckKind> {
    let mut map = reading.section("services.*.check.dialogue", node, at.clone())?;
    let nodes = reading.list(&mut map, "steps");
    let given = (!nodes.is_empty()).then_some(nodes);
    let nodes = reading.require(&map, "steps", given).unwrap_or_default();
    let steps: Vec<Exchange> = nodes.into_iter().filter_map(|node| step(reading, node)).collect();
    let has_tls = reading.boolean(&mut map, "tls");
    let tls = tls(reading, &mut map);
    reading.finish(map);
    let tls = has_tls.then_some(tls);
    (!steps.is_empty()).then_some(CheckKind::Dialogue(Dialogue { tls, steps }))
}

fn step<'n, 'a: 'n>(reading: &mut Reading<'a>, node: Node<'n>) -> Option<Exchange> {
    let at = node.span.clone();
    let mut map = reading.section("services.*.check.dialogue.steps[]", node, at)?;
    let send = reading.parsed(&mut map, "send", scalar::unescape).map(|given| given.value);
    let expect = expect(reading, &mut map);
    reading.finish(map);
    Some(Exchange { send, expect })
}

/// The keys of TLS that dialogues and HTTPS share.
pub(super) fn tls<'n, 'a: 'n>(reading: &mut Reading<'a>, map: &mut Section<'n>) -> Tls {
    Tls {
        verify: reading.boolean(map, "verify"),
        ca_file: reading.text(map, "ca_file"),
        name: reading.text(map, "name"),
    }
}

/// A question to a name server.
pub(super) fn dns<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    node: Node<'n>,
    at: Span,
) -> Option<CheckKind> {
    let mut map = reading.section("services.*.check.dns", node, at)?;
    let name = reading.text(&mut map, "name");
    let name = reading.require(&map, "name", name);
    let tcp = reading.boolean(&mut map, "tcp");
    let expect = expect(reading, &mut map);
    reading.finish(map);
    Some(CheckKind::Dns(DnsCheck { name: name?, tcp, expect }))
}
