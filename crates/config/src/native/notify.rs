//! `notify` of a virtual server, and what the whole file tells others.

use super::pair::argv;
use super::scalar::{Parsed, Problem};
use super::section::{Reading, Section, not_empty};
use crate::model::{Mail, Notify, ServerNotify};

/// Who is told of a virtual server's changes.
pub(super) fn notify<'n, 'a: 'n>(reading: &mut Reading<'a>, section: &mut Section<'n>) -> Notify {
    let at = section.span_of("notify").unwrap_or(0..0);
    let node = reading.given(section, "notify");
    let Some(mut map) = node.and_then(|node| reading.section("services.*.notify", node, at)) else {
        return Notify::default();
    };
    let notify = Notify {
        empty: argv(reading, &mut map, "empty"),
        filled: argv(reading, &mut map, "filled"),
        mail: mail(reading, &mut map),
        results: reading.parsed(&mut map, "results", full_path).map(|given| given.value),
    };
    reading.finish(map);
    notify
}

/// Programs of one real server.
pub(super) fn of_server<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
) -> ServerNotify {
    let at = section.span_of("notify").unwrap_or(0..0);
    let node = reading.given(section, "notify");
    let map = node.and_then(|node| reading.section("services.*.servers[].notify", node, at));
    let Some(mut map) = map else { return ServerNotify::default() };
    let up = argv(reading, &mut map, "up");
    let down = argv(reading, &mut map, "down");
    reading.finish(map);
    ServerNotify { up, down }
}

fn mail<'n, 'a: 'n>(reading: &mut Reading<'a>, section: &mut Section<'n>) -> Option<Mail> {
    let at = section.span_of("mail")?;
    let node = reading.given(section, "mail")?;
    let mut map = reading.section("services.*.notify.mail", node, at)?;
    let nodes = reading.list(&mut map, "to");
    let given = (!nodes.is_empty()).then_some(nodes);
    let nodes = reading.require(&map, "to", given).unwrap_or_default();
    let to: Vec<String> =
        nodes.iter().filter_map(|node| reading.parse_node("to", node, mail_address)).collect();
    let from = reading.parsed(&mut map, "from", mail_address).map(|given| given.value);
    let server = reading.text(&mut map, "server");
    let repeat = reading.duration(&mut map, "repeat");
    reading.finish(map);
    (!to.is_empty()).then_some(Mail { to, from, server, repeat })
}

/// One word; what else it may be, the mail server knows.
fn mail_address(text: &str) -> Parsed<String> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',')) {
        let help = "write one address a member: [root, admin@example.com]";
        return Err(Problem::new(format!("{text} is no mail address"), help));
    }
    not_empty(text)
}

/// A file or folder by its full path.
pub(super) fn full_path(text: &str) -> Parsed<String> {
    if !text.starts_with('/') {
        let help = format!("write /{text}, or wherever it is");
        return Err(Problem::new(format!("{text} is no full path"), help));
    }
    Ok(text.to_owned())
}
