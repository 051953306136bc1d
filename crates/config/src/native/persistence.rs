//! `persistence` of a virtual server.

use ipvs::{Family, Persistence};

use super::section::{Reading, Section};
use super::services::whole_prefix;
use super::tree::{Node, Value};
use crate::places::Part;

/// How long a client stays with its real server, given as a time or as a map.
pub(super) fn persistence<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
    family: Family,
    index: usize,
) -> Option<Persistence> {
    const PATH: &str = "services.*.persistence";
    let at = section.span_of("persistence")?;
    let node = reading.given(section, "persistence")?;
    // A time alone stands for a map with that timeout, so that one range holds for both.
    let node = match node.value {
        Value::Map(_) => node,
        _ => {
            let key = Node { span: node.span.clone(), value: Value::Text("timeout".into()) };
            Node { span: node.span.clone(), value: Value::Map(vec![(key, node)]) }
        }
    };
    let mut map = reading.section(PATH, node, at)?;
    let timeout = reading.seconds(&mut map, "timeout");
    let timeout = reading.require(&map, "timeout", timeout);
    if let Some(span) = map.value_span("prefix") {
        reading.record(Part::ServiceKey(index, "persistence.prefix"), span);
    }
    let prefix = reading.integer(&mut map, "prefix");
    let engine = reading.text(&mut map, "engine");
    reading.finish(map);
    Some(Persistence {
        timeout_seconds: u32::try_from(timeout?.as_secs()).unwrap_or(u32::MAX),
        prefix_length: prefix.unwrap_or(whole_prefix(family)),
        engine,
    })
}
