//! What nanny shuts behind itself before it hears the first server: capabilities, other people's
//! files, and most of the kernel.

mod calls;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, Scope, make_bitflags, path_beneath_rules,
};
use runtime::{ExitError, privilege};

/// What the rules are made for; an older kernel keeps those that it knows.
const LANDLOCK: ABI = ABI::V6;

/// Where authorities, certificates and libraries are. A check's `ca_file` has to be in one of
/// these.
const READABLE: [&str; 6] = ["/etc", "/usr", "/lib", "/lib64", "/opt", "/srv"];

/// What stands in for standard input once lvsd's socket is taken from there.
const NOTHING: [&str; 1] = ["/dev/null"];

/// Whom nanny talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confine {
    /// Servers: no program, no writing, no other file than [`READABLE`], and only the system calls
    /// that this takes.
    Network,
    /// Servers, by frames of its own: as [`Confine::Network`], and the kernel may be asked for
    /// routes and neighbours.
    Paths,
    /// Other people's programs: these may do what their user may, and no more.
    Programs,
}

/// Gives up every capability and enters the sandbox. What the kernel does not know is left out,
/// and told in one line.
///
/// # Errors
/// 77: the capabilities or the right to gain new ones cannot be given up.
pub fn enter(confine: Confine) -> Result<(), ExitError> {
    privilege::give_up_all()?;
    let landlock = match confine {
        Confine::Network | Confine::Paths => Some(restrict_files()),
        Confine::Programs => None,
    };
    let missing: Vec<String> =
        landlock.into_iter().chain([calls::restrict(confine)]).filter_map(Result::err).collect();
    if missing.is_empty() {
        tracing::debug!("nanny is confined");
    } else {
        tracing::warn!(reason = missing.join("; "), "nanny goes on without a part of its sandbox");
    }
    Ok(())
}

/// Reading in a few folders; connecting anywhere; nothing else.
fn restrict_files() -> Result<(), String> {
    let read: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(LANDLOCK))
        .and_then(|rules| rules.handle_access(AccessNet::BindTcp))
        .and_then(|rules| rules.scope(Scope::from_all(LANDLOCK)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.add_rules(path_beneath_rules(READABLE, read)))
        .and_then(|rules| rules.add_rules(path_beneath_rules(NOTHING, AccessFs::ReadFile)))
        .and_then(|rules| rules.restrict_self())
        .map_err(|error| format!("landlock: {error}"))?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("this kernel has no landlock".to_owned()),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}
