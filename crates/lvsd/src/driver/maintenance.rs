//! The maintenance folder: its files name the real servers that are to be out.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::Event;
use crate::core::Core;
use called::Called;

mod called;

/// Between two looks. A look costs one read of a folder that is nearly always empty.
const PAUSE: Duration = Duration::from_secs(1);

/// Files that count; more are no maintenance but a mistake.
const FILES: usize = 4096;

/// Where to look, and whom to look for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    folder: Option<String>,
    /// The addresses of the real servers; none where there is no folder.
    servers: BTreeSet<IpAddr>,
}

impl Place {
    /// As the configuration has it.
    pub(super) fn of(core: &Core) -> Self {
        let folder = core.cluster().maintenance.clone();
        let servers = folder.as_ref().map(|_| core.addresses()).unwrap_or_default();
        Self { folder, servers }
    }
}

/// Begins to look; the folder may become another one.
pub(super) fn start(core: &Core, events: &mpsc::Sender<Event>) -> watch::Sender<Place> {
    let (sender, place) = watch::channel(Place::of(core));
    tokio::spawn(keep(place, events.clone()));
    sender
}

/// Looks again and again; each change is an event. Ends with its sender.
async fn keep(mut place: watch::Receiver<Place>, events: mpsc::Sender<Event>) {
    let mut known = BTreeSet::new();
    let mut called = Called::default();
    let mut told = None;
    loop {
        let Place { folder: path, servers } = place.borrow_and_update().clone();
        let found = match &path {
            Some(path) => read(path.clone()).await,
            None => Ok(BTreeSet::new()),
        };
        match found {
            Ok(names) => {
                told = None;
                called.ask(&names, &servers, Instant::now());
                let names = called.expand(&names);
                if names != known {
                    known.clone_from(&names);
                    if events.send(Event::Resting(names)).await.is_err() {
                        return;
                    }
                }
            }
            // Whoever is out stays out: a folder that is gone for a moment says nothing.
            Err(error) if told != Some(error.kind()) => {
                told = Some(error.kind());
                let path = path.unwrap_or_default();
                tracing::warn!(path, %error, "maintenance folder cannot be read");
            }
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE), if folder_is_set(&place) => {}
            () = called.answer() => {}
            changed = place.changed() => if changed.is_err() { return },
        }
    }
}

fn folder_is_set(place: &watch::Receiver<Place>) -> bool {
    place.borrow().folder.is_some()
}

async fn read(path: String) -> io::Result<BTreeSet<String>> {
    let reading = tokio::task::spawn_blocking(move || {
        let entries = std::fs::read_dir(path)?.take(FILES);
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    });
    reading.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn next(events: &mut mpsc::Receiver<Event>) -> BTreeSet<String> {
        match events.recv().await {
            Some(Event::Resting(names)) => names,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn files_come_and_go_and_so_do_folders() {
        let path = std::env::temp_dir().join(format!("lvsd-rest-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("192.168.1.4:80"), "").unwrap();
        let folder = Some(path.display().to_string());
        let servers = BTreeSet::from([[127, 0, 0, 1].into()]);
        let (place, watched) = watch::channel(Place { folder, servers });
        let (sender, mut events) = mpsc::channel(4);
        let task = tokio::spawn(keep(watched, sender));
        assert_eq!(next(&mut events).await, ["192.168.1.4:80".to_owned()].into());
        std::fs::remove_file(path.join("192.168.1.4:80")).unwrap();
        assert!(next(&mut events).await.is_empty());
        std::fs::write(path.join("web1"), "").unwrap();
        assert_eq!(next(&mut events).await, ["web1".to_owned()].into());
        std::fs::rename(path.join("web1"), path.join("localhost:80")).unwrap();
        let mut seen = next(&mut events).await;
        if !seen.contains("127.0.0.1:80") {
            seen = next(&mut events).await;
        }
        assert_eq!(seen, ["localhost:80", "127.0.0.1:80"].map(String::from).into());
        place.send_replace(Place::default());
        assert!(next(&mut events).await.is_empty(), "no folder takes nobody out");
        drop(place);
        task.await.unwrap();
        std::fs::remove_dir_all(path).unwrap();
    }
}
