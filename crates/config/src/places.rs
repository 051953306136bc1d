//! Where in the files each part of the model stands, so that rules over the model can point at it.

use std::collections::HashMap;
use std::ops::Range;

use crate::Severity;
use crate::diagnostic::{Diagnostics, Help};
use crate::source::Source;

/// A part of the model; numbers are indexes into the model's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Everything.
    File,
    /// A router.
    Router(usize),
    /// A router's n-th path.
    Path(usize, usize),
    /// A heartbeat setting, by its name in the model.
    Heartbeat(&'static str),
    /// How the routers switch each other off.
    Fence,
    /// A group.
    Group(usize),
    /// A group's preferred router.
    Preferred(usize),
    /// A group's n-th floating address.
    Address(usize, usize),
    /// A group's n-th hook.
    Hook(usize, usize),
    /// A virtual server.
    Service(usize),
    /// A virtual server's n-th endpoint, or its mark.
    Listen(usize, usize),
    /// A virtual server's setting, by its name in the model.
    ServiceKey(usize, &'static str),
    /// A virtual server's check.
    Check(usize),
    /// A virtual server's n-th real server.
    Server(usize, usize),
    /// That real server's own check.
    ServerCheck(usize, usize),
    /// A virtual server's sorry server.
    Sorry(usize),
    /// A setting of the kernel, by its name in the model.
    Kernel(&'static str),
}

impl Part {
    /// The same part of a virtual server that stands `offset` places further on.
    pub(crate) fn shifted(self, offset: usize) -> Self {
        match self {
            Self::Service(service) => Self::Service(service + offset),
            Self::Listen(service, number) => Self::Listen(service + offset, number),
            Self::ServiceKey(service, key) => Self::ServiceKey(service + offset, key),
            Self::Check(service) => Self::Check(service + offset),
            Self::Server(service, number) => Self::Server(service + offset, number),
            Self::ServerCheck(service, number) => Self::ServerCheck(service + offset, number),
            Self::Sorry(service) => Self::Sorry(service + offset),
            other => other,
        }
    }

    /// The part that holds this one: its place is the next best.
    fn holder(self) -> Option<Self> {
        match self {
            Self::File => None,
            Self::Router(_) | Self::Heartbeat(_) | Self::Fence | Self::Group(_) => Some(Self::File),
            Self::Service(_) | Self::Kernel(_) => Some(Self::File),
            Self::Path(router, _) => Some(Self::Router(router)),
            Self::Preferred(group) | Self::Address(group, _) | Self::Hook(group, _) => {
                Some(Self::Group(group))
            }
            Self::ServiceKey(service, "persistence.prefix") => {
                Some(Self::ServiceKey(service, "persistence"))
            }
            Self::Listen(service, _)
            | Self::ServiceKey(service, _)
            | Self::Check(service)
            | Self::Server(service, _)
            | Self::Sorry(service) => Some(Self::Service(service)),
            Self::ServerCheck(service, server) => Some(Self::Server(service, server)),
        }
    }
}

/// Parts and their places. A parser records what it knows; a part without a place is reported at
/// the part that holds it, at last at the file.
#[derive(Debug, Default)]
pub struct Places {
    sources: Vec<Source>,
    spans: HashMap<Part, (usize, Range<usize>)>,
}

impl Places {
    /// Records a part's place.
    pub fn record(&mut self, part: Part, source: &Source, span: Range<usize>) {
        let known = self.sources.iter().rposition(|s| s.file() == source.file());
        let index = known.unwrap_or_else(|| {
            self.sources.push(source.clone());
            self.sources.len() - 1
        });
        self.spans.insert(part, (index, span));
    }

    /// Takes over what a part of the configuration that was read alone recorded, after `moved`
    /// gave each part its place in the whole model.
    pub fn absorb(&mut self, other: Self, moved: impl Fn(Part) -> Part) {
        for (part, (index, span)) in other.spans {
            if let Some(source) = other.sources.get(index) {
                self.record(moved(part), source, span);
            }
        }
    }

    /// Where a part stands.
    pub fn find(&self, part: Part) -> Option<(&Source, Range<usize>)> {
        let found = self.spans.get(&part).and_then(|(index, span)| {
            self.sources.get(*index).map(|source| (source, span.clone()))
        });
        found.or_else(|| part.holder().and_then(|holder| self.find(holder)))
    }

    /// Reports a problem of a part at its place.
    pub fn report(
        &self,
        out: &mut Diagnostics,
        severity: Severity,
        part: Part,
        message: impl Into<String>,
        help: impl Into<Help>,
    ) {
        match self.find(part) {
            Some((source, span)) => match severity {
                Severity::Error => out.error(source, span, message, help),
                Severity::Warning => out.warning(source, span, message, help),
                Severity::Note => out.note(source, span, message, help),
            },
            None => {
                let file = self.sources.first().map_or("configuration", Source::file);
                out.whole_file(severity, file, message, help);
            }
        }
    }
}
