//! `lvsctl schema`: what an editor needs to check a native configuration while it is written.

use runtime::ExitError;

use crate::output;

pub(crate) fn run() -> Result<(), ExitError> {
    output::print(&output::json(&config::native::schema())?)
}
