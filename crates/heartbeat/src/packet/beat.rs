//! What a heartbeat tells: of a router, of its groups, and to whom.

use std::time::Duration;

use ring::digest;

use super::{INTERVAL_AT, MAX_LETTER, MAX_WITNESSES, SHORTEST_TOLD, WITNESSES_AT};

/// Who sent a packet: the first eight bytes of the SHA-256 of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouterId(pub u64);

impl RouterId {
    /// Of a router's name.
    pub fn of(name: &str) -> Self {
        Self(u64::from_be_bytes(head(name)))
    }
}

/// Which group a claim is about: the first four bytes of the SHA-256 of its name, so that two
/// differing configurations cannot mix up their groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u32);

impl GroupId {
    /// Of a group's name.
    pub fn of(name: &str) -> Self {
        Self(u32::from_be_bytes(head(name)))
    }
}

fn head<const N: usize>(name: &str) -> [u8; N] {
    let hash = digest::digest(&digest::SHA256, name.as_bytes());
    hash.as_ref().first_chunk::<N>().copied().unwrap_or([0; N])
}

/// A router's role for a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// It listens before it may act.
    #[default]
    Starting,
    /// It stands by.
    Standby,
    /// It holds the group's addresses.
    Active,
}

impl Role {
    /// The word for it in status and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Standby => "standby",
            Self::Active => "active",
        }
    }
}

/// What a router says about one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Its role.
    pub role: Role,
    /// It is standing down: its addresses go, but are not gone.
    pub leaving: bool,
    /// Its interfaces can carry the group.
    pub fit: bool,
    /// It asks to be given the group.
    pub wants: bool,
    /// It has let the group go, for the receiver to take.
    pub yours: bool,
    /// It starts, with the group's addresses still on it from before.
    pub holding: bool,
    /// An operator put it where it is: it does not fail back by itself. Told only to a partner with
    /// [`FEATURE_PINNED`].
    pub pinned: bool,
}

impl Claim {
    /// It serves the group, or may: the receiver must not act.
    pub fn occupies(self) -> bool {
        self.role == Role::Active || self.holding
    }

    pub(super) fn to_byte(self) -> u8 {
        let role = match self.role {
            Role::Starting => 0,
            Role::Standby => 1,
            Role::Active => 2,
        };
        role | u8::from(self.leaving) << 2
            | u8::from(self.fit) << 3
            | u8::from(self.wants) << 4
            | u8::from(self.yours) << 5
            | u8::from(self.holding) << 6
            | u8::from(self.pinned) << 7
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        let role = match byte & 0b11 {
            0 => Role::Starting,
            1 => Role::Standby,
            2 => Role::Active,
            _ => return None,
        };
        let bit = |n: u8| byte >> n & 1 == 1;
        Some(Self {
            role,
            leaving: bit(2),
            fit: bit(3),
            wants: bit(4),
            yours: bit(5),
            holding: bit(6),
            pinned: bit(7),
        })
    }
}

/// What kind of packet it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The router runs.
    #[default]
    Beat,
    /// It stops in order and holds nothing any more.
    Goodbye,
    /// Something for the partner's lvsd. It says nothing about roles and opens no session.
    Letter,
}

/// What a heartbeat tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// Beat or goodbye.
    pub kind: Kind,
    /// The kernel's table equals the wanted one.
    pub table_in_place: bool,
    /// Every real server has been checked.
    pub checks_warm: bool,
    /// Optional abilities of the sender, such as [`FEATURE_LETTERS`]; unknown ones are ignored.
    pub features: u16,
    /// Hash of the sender's configuration.
    pub config_hash: u64,
    /// Bit n: the sender hears the receiver on path n.
    pub heard_paths: u16,
    /// Claims, one for each group of the sender's configuration.
    pub groups: Vec<(GroupId, Claim)>,
    /// What a letter says; of a letter, this is all there is.
    pub letter: Vec<u8>,
}

impl Beat {
    /// A letter. What is beyond [`MAX_LETTER`] is cut off.
    pub fn letter(mut content: Vec<u8>) -> Self {
        content.truncate(MAX_LETTER);
        Self { kind: Kind::Letter, letter: content, ..Self::default() }
    }

    /// The sender could take a group over and serve at once.
    pub fn ready(&self) -> bool {
        self.table_in_place && self.checks_warm
    }

    /// How many witnesses the sender reaches; none where it does not count them.
    pub fn witnesses(&self) -> Option<u8> {
        let told = self.features >> WITNESSES_AT & 0xf;
        u8::try_from(told).ok()?.checked_sub(1)
    }

    /// The bits of [`Self::features`] that tell so many witnesses, one more than there are. A partner
    /// that does not know them ignores them.
    pub(crate) fn tell_witnesses(reached: Option<u8>) -> u16 {
        reached.map_or(0, |count| u16::from(count.min(MAX_WITNESSES) + 1) << WITNESSES_AT)
    }

    /// The sender speaks at least once in this time; none where it does not tell.
    pub fn interval(&self) -> Option<Duration> {
        let told = u32::from(self.features >> INTERVAL_AT & 0xf);
        Some(SHORTEST_TOLD * 2_u32.pow(told.checked_sub(1)?))
    }

    /// The bits of [`Self::features`] that tell an interval: the shortest power of two times
    /// [`SHORTEST_TOLD`] that is no shorter. One longer than nine minutes is told as nine.
    pub(crate) fn tell_interval(interval: Duration) -> u16 {
        let steps = (0..14).take_while(|step| SHORTEST_TOLD * 2_u32.pow(*step) < interval);
        u16::try_from(steps.count() + 1).unwrap_or(0) << INTERVAL_AT
    }

    /// What it says about a group.
    pub fn claim(&self, group: GroupId) -> Option<Claim> {
        self.groups.iter().find(|(id, _)| *id == group).map(|(_, claim)| *claim)
    }
}
