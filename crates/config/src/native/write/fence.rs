//! `fence`.

use super::{Map, texts};
use crate::model::{Fence, FenceFailure};
use crate::native::scalar::render_duration;
use crate::native::yaml::Yaml;

/// What both routers have in common; nothing when it is all at its default.
pub(super) fn fence(fence: &Fence) -> Option<Yaml> {
    let mut map = Map::new("fence");
    if same(fence) {
        let [first, _] = &fence.off;
        map.put_list("run", texts(first));
    }
    map.put_unless_default("timeout", render_duration(fence.timeout));
    let on_failure = match fence.on_failure {
        FenceFailure::Wait => "wait",
        FenceFailure::TakeOver => "take_over",
    };
    map.put_unless_default("on_failure", on_failure.into());
    map.put_unless_default("delay", render_duration(fence.delay));
    map.put_text_if("user", fence.user.as_ref());
    (!map.entries.is_empty()).then(|| map.done())
}

/// A router's own program, when the two differ.
pub(super) fn own(fence: Option<&Fence>, index: usize) -> &[String] {
    let own = fence.filter(|fence| !same(fence)).and_then(|fence| fence.off.get(index));
    own.map_or(&[], Vec::as_slice)
}

fn same(fence: &Fence) -> bool {
    let [first, second] = &fence.off;
    first == second
}
