//! The limits here are generous: they end a test that would fail, and time nothing.

use std::fs::{File, create_dir, read, read_to_string, remove_dir_all, rename, write};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::test_folder::TestFolder;

const LONG: Duration = Duration::from_secs(20);

async fn noticed(watch: &mut ConfigWatch) {
    tokio::time::timeout(LONG, watch.changed()).await.expect("the edit was not noticed");
}

/// Nothing is pending: an edit of the file itself, made now, is the next thing noticed.
async fn unnoticed(watch: &mut ConfigWatch) {
    tokio::time::timeout(Duration::from_millis(250), watch.changed())
        .await
        .expect_err("something was noticed");
}

fn start() -> (TestFolder, PathBuf, ConfigWatch) {
    let folder = TestFolder::new();
    let path = folder.path().join("cluster.yaml");
    write(&path, "one").unwrap();
    let watch = ConfigWatch::new(&path, std::slice::from_ref(&path)).unwrap();
    (folder, path, watch)
}

#[tokio::test]
async fn a_write_in_place_is_noticed_each_time() {
    let (_folder, path, mut watch) = start();
    for text in ["two", "three", "four"] {
        write(&path, text).unwrap();
        noticed(&mut watch).await;
        assert_eq!(read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn what_a_file_includes_is_noticed_and_so_is_a_new_file_that_fits_the_pattern() {
    let (folder, path, mut watch) = start();
    let inside = folder.path().join("conf.d");
    create_dir(&inside).unwrap();
    write(inside.join("a.yaml"), "max_down: 20%").unwrap();
    write(&path, "include: [conf.d/*.yaml]").unwrap();
    noticed(&mut watch).await;
    watch.set_files(&crate::config_file::load_file(&path).files);
    for (name, text) in [("a.yaml", "max_down: 30%"), ("b.yaml", "max_removed: 30%")] {
        write(inside.join(name), text).unwrap();
        noticed(&mut watch).await;
    }
    watch.set_files(&crate::config_file::load_file(&path).files);
    write(inside.join("b.yaml"), "max_removed: 40%").unwrap();
    noticed(&mut watch).await;
    std::fs::remove_file(inside.join("b.yaml")).unwrap();
    noticed(&mut watch).await;
}

#[tokio::test]
async fn a_replacement_by_rename_is_noticed_each_time() {
    let (folder, path, mut watch) = start();
    let new = folder.path().join("cluster.yaml.new");
    for text in ["two", "three", "four"] {
        write(&new, text).unwrap();
        rename(&new, &path).unwrap();
        noticed(&mut watch).await;
        assert_eq!(read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn vim_which_moves_the_old_file_away_and_writes_a_new_one_is_noticed() {
    let (folder, path, mut watch) = start();
    let backup = folder.path().join("cluster.yaml~");
    for text in ["two", "three"] {
        write(folder.path().join("4913"), "").unwrap();
        std::fs::remove_file(folder.path().join("4913")).unwrap();
        rename(&path, &backup).unwrap();
        write(&path, text).unwrap();
        std::fs::remove_file(&backup).unwrap();
        noticed(&mut watch).await;
        assert_eq!(read_to_string(&path).unwrap(), text, "not in the middle of it");
    }
}

#[tokio::test]
async fn a_half_written_file_is_waited_for() {
    let (_folder, path, mut watch) = start();
    let mut file = File::create(&path).unwrap();
    file.write_all(b"half").unwrap();
    unnoticed(&mut watch).await;
    file.write_all(b" and whole").unwrap();
    drop(file);
    noticed(&mut watch).await;
    assert_eq!(read_to_string(&path).unwrap(), "half and whole");
}

#[tokio::test]
async fn a_writer_that_never_closes_is_not_waited_for_for_ever() {
    let (_folder, path, mut watch) = start();
    let mut file = File::create(&path).unwrap();
    file.write_all(b"half").unwrap();
    noticed(&mut watch).await;
    drop(file);
}

#[tokio::test]
async fn a_swapped_link_is_noticed_each_time() {
    let folder = TestFolder::new();
    let root = folder.path();
    create_dir(root.join("v0")).unwrap();
    write(root.join("v0/cluster.yaml"), "0").unwrap();
    symlink("v0", root.join("..data")).unwrap();
    symlink("..data/cluster.yaml", root.join("cluster.yaml")).unwrap();
    let path = root.join("cluster.yaml");
    let mut watch = ConfigWatch::new(&path, std::slice::from_ref(&path)).unwrap();
    for number in 1..4 {
        let version = format!("v{number}");
        create_dir(root.join(&version)).unwrap();
        write(root.join(&version).join("cluster.yaml"), number.to_string()).unwrap();
        symlink(&version, root.join("..data_tmp")).unwrap();
        rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        remove_dir_all(root.join(format!("v{}", number - 1))).unwrap();
        noticed(&mut watch).await;
        assert_eq!(read_to_string(&path).unwrap(), number.to_string());
    }
    write(root.join("v3/cluster.yaml"), "in place").unwrap();
    noticed(&mut watch).await;
}

#[tokio::test]
async fn a_folder_that_is_replaced_as_a_whole_is_noticed() {
    let folder = TestFolder::new();
    let (live, next) = (folder.path().join("live"), folder.path().join("next"));
    create_dir(&live).unwrap();
    let path = live.join("cluster.yaml");
    write(&path, "0").unwrap();
    let mut watch = ConfigWatch::new(&path, std::slice::from_ref(&path)).unwrap();
    for text in ["1", "2"] {
        create_dir(&next).unwrap();
        write(next.join("cluster.yaml"), text).unwrap();
        remove_dir_all(&live).unwrap();
        rename(&next, &live).unwrap();
        noticed(&mut watch).await;
        assert_eq!(read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn a_file_that_is_removed_and_comes_back_is_noticed_both_times() {
    let (_folder, path, mut watch) = start();
    std::fs::remove_file(&path).unwrap();
    noticed(&mut watch).await;
    write(&path, "back").unwrap();
    noticed(&mut watch).await;
}

#[tokio::test]
async fn a_named_file_that_is_not_there_yet_is_waited_for() {
    let (folder, path, mut watch) = start();
    let key = folder.path().join("keys/heartbeat.key");
    watch.set_files(&[path, key.clone()]);
    create_dir(folder.path().join("keys")).unwrap();
    noticed(&mut watch).await;
    write(&key, "key").unwrap();
    noticed(&mut watch).await;
}

#[tokio::test]
async fn a_permission_that_was_mended_is_noticed() {
    let (_folder, path, mut watch) = start();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    noticed(&mut watch).await;
}

#[tokio::test]
async fn reading_and_other_files_are_not_edits() {
    let (folder, path, mut watch) = start();
    for name in ["other.yaml", "cluster.yaml~", ".cluster.yaml.swp", "4913"] {
        write(folder.path().join(name), "x").unwrap();
    }
    assert_eq!(read(&path).unwrap(), b"one");
    unnoticed(&mut watch).await;
    write(&path, "two").unwrap();
    noticed(&mut watch).await;
}

#[tokio::test]
async fn an_edit_is_not_lost_when_waiting_is_given_up() {
    let (_folder, path, mut watch) = start();
    write(&path, "two").unwrap();
    for _ in 0..3 {
        tokio::select! {
            biased;
            () = watch.changed() => panic!("it cannot have settled yet"),
            () = tokio::task::yield_now() => {}
        }
    }
    noticed(&mut watch).await;
}
