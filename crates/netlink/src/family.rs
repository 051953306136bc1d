//! A family of generic netlink: asked for by its name, and again once the kernel knows its number
//! no longer, as it is after its module was loaded anew.

use ipvs::wire::{Attributes, Payload, WireError};
use neli::consts::socket::NlFamily;

use crate::KernelError;
use crate::channel::{Channel, Outgoing};

/// The controller of generic netlink (`GENL_ID_CTRL`).
const CONTROLLER: u16 = 0x10;
/// Asks the controller for a family by name (`CTRL_CMD_GETFAMILY`).
const GET_FAMILY: u8 = 3;
/// `CTRL_ATTR_FAMILY_ID`.
const FAMILY_ID: u16 = 1;
/// `CTRL_ATTR_FAMILY_NAME`.
const FAMILY_NAME: u16 = 2;

/// A socket to one family. A call that is cut off does no harm to the next one.
pub(crate) struct Family {
    channel: Channel,
    name: &'static str,
    number: u16,
    /// What is said when there is no such family.
    missing: KernelError,
}

impl Family {
    /// Opens the socket. A kernel that can load the module by itself does so now, and whenever the
    /// family is asked for again.
    pub(crate) async fn open(
        name: &'static str,
        missing: KernelError,
    ) -> Result<Self, KernelError> {
        let channel = Channel::open(NlFamily::Generic)?;
        let mut family = Self { channel, name, number: 0, missing };
        family.number = family.ask_number().await?;
        Ok(family)
    }

    /// Sends one request; the answers come without their headers.
    pub(crate) async fn request(&mut self, request: &[u8]) -> Result<Vec<Vec<u8>>, KernelError> {
        let mut result = self.channel.request(self.number, 0, request).await;
        if is_no_entry(&result) && self.has_moved().await? {
            result = self.channel.request(self.number, 0, request).await;
        }
        Ok(result?.into_iter().map(without_header).collect())
    }

    /// Lists something whole; the answers come without their headers.
    pub(crate) async fn list(&mut self, request: &[u8]) -> Result<Vec<Vec<u8>>, KernelError> {
        let mut result = self.channel.dump(self.number, request).await;
        if is_no_entry(&result) && self.has_moved().await? {
            result = self.channel.dump(self.number, request).await;
        }
        Ok(result?.into_iter().map(without_header).collect())
    }

    /// Sends many requests and answers each with what became of it, in order.
    pub(crate) async fn batch(&mut self, requests: Vec<Vec<u8>>) -> Vec<Result<(), KernelError>> {
        let mut outgoing: Vec<Outgoing> = requests
            .into_iter()
            .map(|payload| Outgoing { kind: self.number, flags: 0, payload })
            .collect();
        let results = self.channel.batch(&outgoing).await;
        // Of a number that it does not know the kernel takes nothing at all.
        if results.is_empty() || !results.iter().all(is_no_entry) {
            return results;
        }
        match self.has_moved().await {
            Ok(false) => results,
            Ok(true) => {
                outgoing.iter_mut().for_each(|request| request.kind = self.number);
                self.channel.batch(&outgoing).await
            }
            Err(error) => results.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// Whether the family has another number than before, which counts from here on.
    async fn has_moved(&mut self) -> Result<bool, KernelError> {
        let now = self.ask_number().await?;
        Ok(std::mem::replace(&mut self.number, now) != now)
    }

    async fn ask_number(&mut self) -> Result<u16, KernelError> {
        let mut attributes = Payload::default();
        attributes.text(FAMILY_NAME, self.name);
        let question = with_header(GET_FAMILY, 1, &attributes.into_bytes());
        let answers = self.channel.request(CONTROLLER, 0, &question).await;
        if is_no_entry(&answers) {
            return Err(self.missing.clone());
        }
        let answer = answers?.into_iter().next().map(without_header);
        let answer = answer.ok_or(WireError::Missing("content"))?;
        let number = Attributes::new(&answer).find_kind(FAMILY_ID)?;
        Ok(number.ok_or(WireError::Missing("family id"))?.u16()?)
    }
}

/// Puts the generic netlink header (`struct genlmsghdr`: command, version, 16 reserved bits) first.
pub(crate) fn with_header(command: u8, version: u8, attributes: &[u8]) -> Vec<u8> {
    let mut payload = vec![command, version, 0, 0];
    payload.extend_from_slice(attributes);
    payload
}

fn without_header(mut answer: Vec<u8>) -> Vec<u8> {
    answer.drain(..answer.len().min(4));
    answer
}

/// What the kernel says to a number that no family has, among other things.
fn is_no_entry<T>(result: &Result<T, KernelError>) -> bool {
    matches!(result, Err(KernelError::Refused { errno: libc::ENOENT, .. }))
}

#[cfg(test)]
mod tests {
    //! Against the controller itself, the one family that every kernel has.

    use super::*;

    const NAME: &str = "nlctrl";
    /// A number that no family has.
    const OLD: u16 = 0x7fff;

    async fn open() -> Family {
        Family::open(NAME, KernelError::NoIpvs).await.unwrap()
    }

    fn question(name: &str) -> Vec<u8> {
        let mut attributes = Payload::default();
        attributes.text(FAMILY_NAME, name);
        with_header(GET_FAMILY, 1, &attributes.into_bytes())
    }

    #[tokio::test]
    async fn a_family_that_was_loaded_anew_is_found_under_its_new_number() {
        let mut family = open().await;
        family.number = OLD;
        assert_eq!(family.request(&question(NAME)).await.unwrap().len(), 1);
        family.number = OLD;
        assert!(!family.list(&with_header(GET_FAMILY, 1, &[])).await.unwrap().is_empty());
        family.number = OLD;
        let results = family.batch(vec![question(NAME), question(NAME)]).await;
        assert_eq!(results, [Ok(()), Ok(())]);
        assert_eq!(family.number, CONTROLLER);
    }

    #[tokio::test]
    async fn what_the_family_itself_does_not_find_is_its_own_answer() {
        let mut family = open().await;
        let missing = |errno: Option<i32>| assert_eq!(errno, Some(libc::ENOENT));
        missing(family.request(&question("no-such")).await.unwrap_err().errno());
        let results = family.batch(vec![question("no-such")]).await;
        missing(results[0].as_ref().unwrap_err().errno());
    }

    #[tokio::test]
    async fn a_family_that_is_gone_is_told_as_such_whatever_is_asked() {
        let mut family = open().await;
        family.name = "no-such";
        for _ in 0..2 {
            family.number = OLD;
            assert_eq!(family.request(&question(NAME)).await, Err(KernelError::NoIpvs));
            let results = family.batch(vec![question(NAME), question(NAME)]).await;
            assert_eq!(results, [Err(KernelError::NoIpvs), Err(KernelError::NoIpvs)]);
        }
        let opened = Family::open("no-such", KernelError::NoIpvs).await;
        assert_eq!(opened.err(), Some(KernelError::NoIpvs));
    }
}
