//! Setting up, and undoing.

use std::path::Path;

use netlink::{AddressChange, LinkChange};
use runtime::ExitError;
use runtime::sysctl::{self, Values};

use super::host::{Hands, alone, refused};
use super::need::Need;
use super::undo::Undo;

/// Sets up what is missing, silence on the wire first, and undoes what is needed no more; what was
/// done, in words.
pub(crate) async fn up(
    kernel: &mut impl Hands,
    need: &Need,
    undo: &mut Undo,
) -> Result<Vec<String>, ExitError> {
    let mut done = Vec::new();
    remove_addresses(kernel, undo, &need.addresses, &mut done).await?;
    write(&need.settings, undo, &mut done)?;
    for (name, kind) in &need.links {
        link(kernel, undo, name, *kind, &mut done).await?;
    }
    // Interfaces that were just made have settings of their own.
    write(&need.settings, undo, &mut done)?;
    for (ip, name) in &need.addresses {
        let host = kernel.read().await?;
        let Some(at) = host.link(name).filter(|_| !host.has(*ip, name)) else { continue };
        undo.was.addresses.push((*ip, name.clone()));
        undo.save()?;
        kernel.change_address(AddressChange::Stay(alone(*ip, at.index))).await?;
        done.push(format!("{ip} is on {name} now"));
    }
    Ok(done)
}

/// Puts everything back as it was.
pub(crate) async fn down(
    kernel: &mut impl Hands,
    mut undo: Undo,
) -> Result<Vec<String>, ExitError> {
    let mut done = Vec::new();
    remove_addresses(kernel, &mut undo, &[], &mut done).await?;
    for name in std::mem::take(&mut undo.was.raised) {
        let host = kernel.read().await?;
        if let Some(link) = host.link(&name).filter(|link| link.up) {
            kernel.change_link(&LinkChange::Down(link.index)).await?;
            done.push(format!("interface {name} is down again"));
        }
    }
    write(&Values::new(), &mut undo, &mut done)?;
    for name in std::mem::take(&mut undo.was.made) {
        let host = kernel.read().await?;
        if let Some(link) = host.link(&name) {
            kernel.change_link(&LinkChange::Remove(link.index)).await?;
            done.push(format!("interface {name} is gone again"));
        }
    }
    undo.save()?;
    Ok(done)
}

/// Removes addresses that came by this command, but for those that stay.
async fn remove_addresses(
    kernel: &mut impl Hands,
    undo: &mut Undo,
    stay: &[(std::net::IpAddr, String)],
    done: &mut Vec<String>,
) -> Result<(), ExitError> {
    for address in undo.was.addresses.clone() {
        if stay.contains(&address) {
            continue;
        }
        let (ip, name) = &address;
        let host = kernel.read().await?;
        if let Some(link) = host.link(name).filter(|_| host.has(*ip, name)) {
            kernel.change_address(AddressChange::Remove(alone(*ip, link.index))).await?;
            done.push(format!("{ip} is on {name} no more"));
        }
        undo.was.addresses.retain(|known| *known != address);
        undo.save()?;
    }
    Ok(())
}

/// Makes an interface and sets it up, where that is not so.
async fn link(
    kernel: &mut impl Hands,
    undo: &mut Undo,
    name: &str,
    kind: Option<&'static str>,
    done: &mut Vec<String>,
) -> Result<(), ExitError> {
    if let Some(kind) = kind
        && kernel.read().await?.link(name).is_none()
    {
        make(kernel, undo, name, kind, done).await?;
    }
    let host = kernel.read().await?;
    let Some(link) = host.link(name) else {
        return Err(ExitError::internal(format!(
            "this host has no interface {name}: name another"
        )));
    };
    if !link.up {
        if !undo.was.made.iter().any(|made| made == name) {
            undo.was.raised.push(name.to_owned());
            undo.save()?;
        }
        kernel.change_link(&LinkChange::Up(link.index)).await?;
        done.push(format!("interface {name} is up now"));
    }
    Ok(())
}

/// Makes an interface that is not there. The kernel may load the module for it just now, which makes
/// one of this name by itself: that one is as good, and not ours to delete.
async fn make(
    kernel: &mut impl Hands,
    undo: &mut Undo,
    name: &str,
    kind: &'static str,
    done: &mut Vec<String>,
) -> Result<(), ExitError> {
    undo.was.made.push(name.to_owned());
    undo.save()?;
    let Err(error) = kernel.make(name, kind).await else {
        done.push(format!("interface {name} is made"));
        return Ok(());
    };
    if error.errno().is_some() {
        undo.was.made.retain(|made| made != name);
        undo.save()?;
    }
    if error.errno() == Some(rustix::io::Errno::EXIST.raw_os_error()) {
        return Ok(());
    }
    Err(refused(&format!("make the interface {name} of kind {kind}"), &error))
}

/// Writes settings, and gives back those that are wanted no more.
fn write(wanted: &Values, undo: &mut Undo, done: &mut Vec<String>) -> Result<(), ExitError> {
    let root = Path::new(sysctl::ROOT);
    let now = sysctl::read(root, wanted.keys().chain(undo.was.settings.keys()));
    let mut before = undo.was.settings.clone();
    let changes = sysctl::plan(wanted, &now, &mut before);
    // What is given back is forgotten only when that is done.
    for (file, value) in &before {
        undo.was.settings.insert(file.clone(), value.clone());
    }
    undo.save()?;
    for change in &changes {
        sysctl::write(root, change).map_err(|error| {
            let shown = change.shown();
            ExitError::from_io(&error, runtime::Exit::Internal, format!("cannot set {shown}"))
        })?;
        done.push(change.shown());
    }
    undo.was.settings = before;
    undo.save()
}

#[cfg(test)]
mod tests;
