//! A host whose kernel loads modules when an interface of their kind is wanted.

use std::net::IpAddr;
use std::path::PathBuf;

use netlink::{HostLink, KernelError};

use super::super::host::Host;
use super::super::need::{Asked, Way};
use super::*;

/// `EEXIST`, and `EOPNOTSUPP`.
const EXISTS: i32 = 17;
const NOT_SUPPORTED: i32 = 95;

struct Fake {
    host: Host,
    /// What the kernel says to "make it"; with [`EXISTS`] its module has just made one itself.
    says: Option<i32>,
}

impl Fake {
    fn new(says: Option<i32>) -> Self {
        Self { host: Host::default(), says }
    }

    fn link(&mut self, index: u32) -> &mut HostLink {
        self.host.links.iter_mut().find(|link| link.index == index).unwrap()
    }

    /// The interfaces by name, and whether they are up.
    fn links(&self) -> Vec<(&str, bool)> {
        self.host.links.iter().map(|link| (link.name.as_str(), link.up)).collect()
    }
}

impl Hands for Fake {
    async fn read(&mut self) -> Result<Host, ExitError> {
        Ok(self.host.clone())
    }

    async fn make(&mut self, name: &str, _: &'static str) -> Result<(), KernelError> {
        if self.says.is_none_or(|errno| errno == EXISTS) {
            self.host.links.push(HostLink {
                index: 7,
                name: name.to_owned(),
                mac: None,
                up: false,
                carrier: false,
                loopback: false,
                silent: true,
            });
        }
        self.says.map_or(Ok(()), |errno| Err(KernelError::Refused { errno, text: None }))
    }

    async fn change_link(&mut self, change: &LinkChange) -> Result<(), ExitError> {
        match change {
            LinkChange::Up(index) => self.link(*index).up = true,
            LinkChange::Down(index) => self.link(*index).up = false,
            LinkChange::Remove(index) => self.host.links.retain(|link| link.index != *index),
            LinkChange::Make { .. } => panic!("not by this way"),
        }
        Ok(())
    }

    async fn change_address(&mut self, change: AddressChange) -> Result<(), ExitError> {
        match change {
            AddressChange::Stay(address) => self.host.addresses.push(address),
            AddressChange::Remove(address) => self.host.addresses.retain(|one| *one != address),
            _ => panic!("it comes for good"),
        }
        Ok(())
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("caribe-{test}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn undo(&self) -> Undo {
        Undo::load(self.0.clone()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// An address that needs an interface and no setting.
fn need() -> Need {
    let ip: IpAddr = "2001:db8:1::1".parse().unwrap();
    Need::of(&Asked::from([(ip, Way::Direct)]), "dummy0")
}

#[tokio::test]
async fn an_interface_that_was_made_is_deleted_again() {
    let folder = Folder::new("made");
    let mut fake = Fake::new(None);
    let done = up(&mut fake, &need(), &mut folder.undo()).await.unwrap();
    assert_eq!(done[..2], ["interface dummy0 is made", "interface dummy0 is up now"]);
    let done = down(&mut fake, folder.undo()).await.unwrap();
    assert_eq!(done[1..], ["interface dummy0 is gone again"]);
    assert_eq!(fake.links(), []);
}

#[tokio::test]
async fn an_interface_that_the_module_itself_brings_is_raised_and_never_deleted() {
    let folder = Folder::new("brought");
    let mut fake = Fake::new(Some(EXISTS));
    let done = up(&mut fake, &need(), &mut folder.undo()).await.unwrap();
    assert_eq!(done, ["interface dummy0 is up now", "2001:db8:1::1 is on dummy0 now"]);
    assert_eq!(fake.links(), [("dummy0", true)]);
    assert!(up(&mut fake, &need(), &mut folder.undo()).await.unwrap().is_empty());
    let done = down(&mut fake, folder.undo()).await.unwrap();
    assert_eq!(done, ["2001:db8:1::1 is on dummy0 no more", "interface dummy0 is down again"]);
    assert_eq!(fake.links(), [("dummy0", false)]);
}

#[tokio::test]
async fn what_the_kernel_refused_to_make_is_not_deleted_when_somebody_else_makes_it() {
    let folder = Folder::new("refused");
    let mut fake = Fake::new(Some(NOT_SUPPORTED));
    let error = up(&mut fake, &need(), &mut folder.undo()).await.unwrap_err();
    let said = "cannot make the interface dummy0 of kind dummy: ";
    assert!(error.message.starts_with(said), "{error}");
    fake.says = None;
    fake.make("dummy0", "dummy").await.unwrap();
    assert!(down(&mut fake, folder.undo()).await.unwrap().is_empty());
    assert_eq!(fake.links(), [("dummy0", false)]);
}
