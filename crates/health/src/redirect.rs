//! Where a redirect leads, and whether a check goes there.
//!
//! A check is about one real server, so no name that an answer holds is ever looked up: the next
//! page is asked of the same server, in the name that the redirect gives, and only where that name
//! is the server's own.

mod page;

use std::net::{IpAddr, SocketAddr};

use thiserror::Error;

use crate::escape::show;

pub use page::Page;

/// Why a redirect is not followed, in a few words that follow on where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Lost {
    /// Other words than HTTP's.
    #[error("which is neither HTTP nor HTTPS")]
    Scheme,
    /// With a user in it.
    #[error("which holds a login")]
    Login,
    /// No address of a page.
    #[error("which is no page's address")]
    Unreadable,
    /// It is not this server that answers for it.
    #[error("another host, which no check of this server asks (it asked for {0})")]
    OtherHost(String),
    /// Nothing would be verified there.
    #[error("which is without TLS, where a certificate has to be verified")]
    Plain,
    /// A proxy hands on TLS, and does not speak it.
    #[error("which a proxy is not asked for")]
    TlsProxy,
    /// It was there before.
    #[error("in a circle")]
    Circle,
    /// Enough is enough.
    #[error("and {0} redirects are followed at most")]
    TooMany(u8),
}

/// The check that is redirected.
#[derive(Clone, Debug)]
pub struct Start {
    /// The page that it asks for.
    pub page: Page,
    /// The server that it asks.
    pub server: SocketAddr,
    /// The page's host is the name that the check gives; else it is only the server's address.
    pub named: bool,
    /// The server is a proxy, which is asked for pages of any host.
    pub proxy: bool,
    /// Its certificate is verified.
    pub verified: bool,
    /// Redirects that are followed at most.
    pub most: u8,
}

/// The pages of one check, as far as it has come.
#[derive(Debug)]
pub struct Trail<'a> {
    start: &'a Start,
    /// The server's own name.
    name: Option<String>,
    pages: Vec<Page>,
}

impl<'a> Trail<'a> {
    /// The first page has answered with a redirect.
    pub fn new(start: &'a Start) -> Self {
        let name = start.named.then(|| start.page.host.clone());
        Self { start, name, pages: vec![start.page.clone()] }
    }

    /// The page that the last one's `Location` leads to.
    ///
    /// # Errors
    /// It is not to be followed; the place that it names stands beside.
    pub fn follow(&mut self, location: &[u8]) -> Result<&Page, (String, Lost)> {
        let page = self.next(location).map_err(|lost| (show_location(location, &lost), lost))?;
        self.pages.push(page);
        Ok(self.pages.last().unwrap_or(&self.start.page))
    }

    fn next(&mut self, location: &[u8]) -> Result<Page, Lost> {
        let page = self.pages.last().unwrap_or(&self.start.page).at(location)?;
        if self.start.proxy {
            if page.tls {
                return Err(Lost::TlsProxy);
            }
        } else {
            self.is_own(&page)?;
        }
        if self.start.verified && !page.tls {
            return Err(Lost::Plain);
        }
        if self.pages.contains(&page) {
            return Err(Lost::Circle);
        }
        if self.pages.len() > usize::from(self.start.most) {
            return Err(Lost::TooMany(self.start.most));
        }
        Ok(page)
    }

    /// A check that gives no name takes the first one that the server calls itself.
    fn is_own(&mut self, page: &Page) -> Result<(), Lost> {
        let own: IpAddr = self.start.server.ip();
        if page.address() == Some(own) {
            return Ok(());
        }
        match &self.name {
            Some(name) if *name == page.host => Ok(()),
            Some(name) => Err(Lost::OtherHost(name.clone())),
            None if page.address().is_some() => Err(Lost::OtherHost(own.to_string())),
            None => {
                self.name = Some(page.host.clone());
                Ok(())
            }
        }
    }
}

impl Start {
    /// Where this server is asked for a page. What the file's own page names, the port of the
    /// virtual server, is answered at the port that is checked.
    pub fn server_of(&self, page: &Page) -> SocketAddr {
        let public = self.page.port.unwrap_or(self.page.usual_port());
        let port = match page.port {
            _ if self.proxy => self.server.port(),
            None if page.tls == self.page.tls => self.server.port(),
            Some(port) if port == public && page.tls == self.page.tls => self.server.port(),
            port => port.unwrap_or(page.usual_port()),
        };
        SocketAddr::new(self.server.ip(), port)
    }
}

/// A login is not shown: it holds a password.
fn show_location(location: &[u8], lost: &Lost) -> String {
    if *lost == Lost::Login { "an address".to_owned() } else { show(location) }
}

#[cfg(test)]
mod tests;
