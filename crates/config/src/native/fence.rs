//! `fence`, and the routers' own `fence`.

use super::pair::argv;
use super::section::{Reading, Section, not_empty};
use super::tree::{Node, Span, Value};
use crate::model::{Fence, FenceFailure, Router};
use crate::places::Part;

/// How the routers switch each other off; `own` are the programs that they name themselves.
pub(super) fn fence<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    top: &mut Section<'n>,
    routers: Option<&[Router; 2]>,
    own: [Vec<String>; 2],
) -> Option<Fence> {
    let at = top.span_of("fence");
    if at.is_none() && own.iter().all(Vec::is_empty) {
        return None;
    }
    let span = at.unwrap_or(0..0);
    reading.record(Part::Fence, span.clone());
    let empty = || Node { span: span.clone(), value: Value::Map(Vec::new()) };
    let node = reading.given(top, "fence").unwrap_or_else(empty);
    let mut section = reading.section("fence", node, span.clone())?;
    let run = argv(reading, &mut section, "run");
    let timeout = reading.duration(&mut section, "timeout").unwrap_or_default();
    let on_failure = reading.choice(&mut section, "on_failure", |word| match word {
        "wait" => Some(FenceFailure::Wait),
        "take_over" => Some(FenceFailure::TakeOver),
        _ => None,
    });
    let delay = reading.duration(&mut section, "delay").unwrap_or_default();
    let user = reading.parsed(&mut section, "user", not_empty).map(|given| given.value);
    let broken = section.has("run") && run.is_empty();
    reading.finish(section);
    let off = own.map(|own| if own.is_empty() { run.clone() } else { own });
    for (router, argv) in routers.into_iter().flatten().zip(&off) {
        if argv.is_empty() && !broken {
            missing(reading, &span, &router.name);
        }
    }
    Some(Fence { off, timeout, on_failure: on_failure.unwrap_or_default(), delay, user })
}

fn missing(reading: &mut Reading<'_>, at: &Span, name: &str) {
    let help = format!(
        "add `run: [/path/to/program, argument]` to fence, with %r for the router's name, or `fence` to {name} under routers"
    );
    reading.error(at.clone(), format!("nothing says how {name} is switched off"), help);
}
