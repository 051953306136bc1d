//! From check results to the wanted table: who is up, with which weight, and why.
//!
//! [`watcher`] counts results until a server is up or down. [`results`] keeps the last hundred.
//! [`expect`] decides whether an answer, which comes in pieces, is the wanted one,
//! and [`body`] whether the body of one is; [`redirect`] says which page is asked for next. [`schedule`]
//! spreads the starts of many checks. [`load`] makes weights follow the load of servers,
//! [`asked`] what their programs ask for.
//! [`weight`] lets a returning server take traffic slowly.
//! [`dns`] reads what name servers answer. [`login`] logs in at servers. [`escape`] reads and shows bytes as people write them. [`wanted`](mod@wanted) turns it all, with the operator's
//! [decisions](decision), into the table that the kernel should hold; [`probe`] says who shares a check.

pub mod asked;
pub mod body;
pub mod decision;
pub mod dns;
pub mod escape;
pub mod expect;
pub mod ledger;
pub mod load;
pub mod login;
pub mod probe;
pub mod redirect;
pub mod results;
pub mod schedule;
#[cfg(test)]
mod tests;
pub mod verdict;
pub mod wanted;
pub mod watcher;
pub mod weight;

pub use asked::Asked;
pub use decision::{Decided, Decisions, Drain, Note};
pub use ledger::{Item, Ledger, Ruling, Subject};
pub use probe::Probe;
pub use verdict::Verdict;
pub use wanted::{Fitness, Knowledge, Names, Wanted, WantedServer, WantedService, wanted};
