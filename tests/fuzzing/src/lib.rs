//! What every parser of ours must hold, whatever bytes it is given: no panic, no endless loop, and
//! what each target says beside.
//!
//! The same bodies run under libFuzzer (`cargo xtask fuzz`) and over the kept corpus in every test
//! run (`tests/corpus.rs`). A body panics when something does not hold.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a body fails by a panic")]

mod checks;
mod configuration;
mod frames;
mod heartbeats;
mod kernel;
mod replies;

pub use checks::{dialogue, http_answer, matcher, program};
pub use configuration::{
    authkeys, ha_cf, haresources, keepalived, key_file, ldirectord, lvs_cf, native, tables,
};
pub use frames::{control_lines, control_server};
pub use heartbeats::{packet, session};
pub use kernel::{attributes, datagram};
pub use replies::replies;

/// A target: its name, as that of its corpus, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 20] = [
    ("native", native),
    ("lvs_cf", lvs_cf),
    ("ldirectord", ldirectord),
    ("keepalived", keepalived),
    ("ha_cf", ha_cf),
    ("haresources", haresources),
    ("authkeys", authkeys),
    ("key_file", key_file),
    ("packet", packet),
    ("session", session),
    ("attributes", attributes),
    ("datagram", datagram),
    ("control_lines", control_lines),
    ("control_server", control_server),
    ("http_answer", http_answer),
    ("dialogue", dialogue),
    ("matcher", matcher),
    ("program", program),
    ("tables", tables),
    ("replies", replies),
];

/// One part of the input, up to the first zero byte, and what follows it.
fn split(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == 0) {
        Some(place) => {
            let (first, rest) = data.split_at(place);
            (first, rest.get(1..).unwrap_or_default())
        }
        None => (data, &[]),
    }
}

/// Runs what is asynchronous to its end, on a thread's own runtime.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(work))
}
