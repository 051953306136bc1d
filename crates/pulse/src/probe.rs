//! Asks whether somebody else answers for a group's addresses, before this router takes them.

use std::net::IpAddr;
use std::time::Duration;

use send_arp::Link;
use tokio::task::JoinSet;

use crate::plan::GroupPlan;

/// So many addresses stand for all of a group: they move together.
const ASKED: usize = 8;

/// Whether anybody else answers within `patience`. An interface that cannot be asked has nobody.
pub(crate) async fn somebody_answers(plan: &GroupPlan, patience: Duration) -> bool {
    let mut links: Vec<(Link, Vec<IpAddr>)> = Vec::new();
    let placed = plan.addresses.iter().filter_map(|placed| Some((placed.link?, placed.address.ip)));
    for (link, ip) in placed.take(ASKED) {
        match links.iter_mut().find(|(known, _)| *known == link) {
            Some((_, ips)) => ips.push(ip),
            None => links.push((link, vec![ip])),
        }
    }
    let mut asking = JoinSet::new();
    for (link, ips) in links {
        asking.spawn(async move { send_arp::who_has(&link, &ips, patience).await });
    }
    while let Some(answer) = asking.join_next().await {
        match answer {
            Ok(Ok(claims)) if claims.is_empty() => {}
            Ok(Ok(_)) => return true,
            Ok(Err(error)) => tracing::debug!(%error, "cannot ask for addresses"),
            Err(error) => tracing::warn!(%error, "asking for addresses ended early"),
        }
    }
    false
}
