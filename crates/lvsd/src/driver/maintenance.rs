//! The maintenance folder: its files name the real servers that are to be out.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use config::Cluster;
use tokio::sync::{mpsc, watch};

use super::Event;

/// Between two looks. A look costs one read of a folder that is nearly always empty.
const PAUSE: Duration = Duration::from_secs(1);

/// Files that count; more are no maintenance but a mistake.
const FILES: usize = 4096;

/// Begins to look; the folder may become another one.
pub(super) fn start(
    cluster: &Cluster,
    events: &mpsc::Sender<Event>,
) -> watch::Sender<Option<String>> {
    let (sender, folder) = watch::channel(cluster.maintenance.clone());
    tokio::spawn(keep(folder, events.clone()));
    sender
}

/// Looks again and again; each change is an event. Ends with its sender.
async fn keep(mut folder: watch::Receiver<Option<String>>, events: mpsc::Sender<Event>) {
    let mut known = BTreeSet::new();
    let mut told = None;
    loop {
        let path = folder.borrow_and_update().clone();
        let found = match &path {
            Some(path) => read(path.clone()).await,
            None => Ok(BTreeSet::new()),
        };
        match found {
            Ok(names) => {
                told = None;
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
            () = tokio::time::sleep(PAUSE), if path_is_set(&folder) => {}
            changed = folder.changed() => if changed.is_err() { return },
        }
    }
}

fn path_is_set(folder: &watch::Receiver<Option<String>>) -> bool {
    folder.borrow().is_some()
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
        let (folder, watched) = watch::channel(Some(path.display().to_string()));
        let (sender, mut events) = mpsc::channel(4);
        let task = tokio::spawn(keep(watched, sender));
        assert_eq!(next(&mut events).await, ["192.168.1.4:80".to_owned()].into());
        std::fs::remove_file(path.join("192.168.1.4:80")).unwrap();
        assert!(next(&mut events).await.is_empty());
        std::fs::write(path.join("web1"), "").unwrap();
        assert_eq!(next(&mut events).await, ["web1".to_owned()].into());
        folder.send_replace(None);
        assert!(next(&mut events).await.is_empty(), "no folder takes nobody out");
        drop(folder);
        task.await.unwrap();
        std::fs::remove_dir_all(path).unwrap();
    }
}
