//! Memory and folder, held to the port's contract.

use bytes::Bytes;
use helpdesk_blobs::{InvalidKey, ObjectBlobs, SetupError};
use helpdesk_core::Blobs;

const KEY: &str = "0190163d-8694-739b-aea5-966c26f8ad91/attachments/0190163d-8694-739b-aea5-966c26f8ad92";

/// A folder that goes with the test, and a store in it.
fn folder() -> (tempfile::TempDir, ObjectBlobs) {
    let parent = tempfile::tempdir().expect("a folder");
    let path = parent.path().join("not/there yet/files");
    let blobs = ObjectBlobs::parse(&format!("file:{}", path.display())).expect("a store");
    (parent, blobs)
}

async fn keeps_files(blobs: &dyn Blobs) {
    assert_eq!(blobs.get(KEY).await.expect("got"), None);
    blobs.delete(KEY).await.expect("nothing to delete");
    blobs.put(KEY, Bytes::from_static(b"first")).await.expect("put");
    blobs.put(KEY, Bytes::from_static(b"second")).await.expect("put again");
    blobs.put("other", Bytes::new()).await.expect("put nothing");
    assert_eq!(blobs.get(KEY).await.expect("got").as_deref(), Some(b"second".as_slice()));
    assert_eq!(blobs.get("other").await.expect("got").as_deref(), Some(b"".as_slice()));
    blobs.delete(KEY).await.expect("deleted");
    assert_eq!(blobs.get(KEY).await.expect("got"), None);
    assert!(blobs.get("other").await.expect("got").is_some());
}

async fn keeps_large_files(blobs: &dyn Blobs) {
    let content: Bytes = (0..20 << 20).map(|byte: u32| (byte % 251) as u8).collect::<Vec<_>>().into();
    blobs.put(KEY, content.clone()).await.expect("put");
    assert!(blobs.get(KEY).await.expect("got").expect("there") == content);
}

async fn refuses_hostile_keys(blobs: &dyn Blobs) {
    for key in
        ["", "/etc/passwd", "../secret", "a/../../secret", "a/./b", "a//b", "a\\..\\b", "a\0", "%2e%2e/x"]
    {
        let put = blobs.put(key, Bytes::from_static(b"x")).await.expect_err("refused");
        let got = blobs.get(key).await.expect_err("refused");
        let deleted = blobs.delete(key).await.expect_err("refused");
        for error in [put, got, deleted] {
            assert!(error.0.is::<InvalidKey>(), "{key:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn memory_keeps_files() {
    keeps_files(&ObjectBlobs::memory()).await;
}

#[tokio::test]
async fn memory_keeps_large_files() {
    keeps_large_files(&ObjectBlobs::memory()).await;
}

#[tokio::test]
async fn memory_refuses_hostile_keys() {
    refuses_hostile_keys(&ObjectBlobs::memory()).await;
}

#[tokio::test]
async fn a_folder_keeps_files() {
    let (_folder, blobs) = folder();
    keeps_files(&blobs).await;
}

#[tokio::test]
async fn a_folder_keeps_large_files() {
    let (_folder, blobs) = folder();
    keeps_large_files(&blobs).await;
}

#[tokio::test]
async fn a_folder_refuses_hostile_keys() {
    let (folder, blobs) = folder();
    std::fs::write(folder.path().join("secret"), "not yours").expect("written");
    refuses_hostile_keys(&blobs).await;
    assert_eq!(std::fs::read(folder.path().join("secret")).expect("untouched"), b"not yours");
}

#[tokio::test]
async fn a_folder_is_the_same_after_a_restart_and_holds_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || ObjectBlobs::folder(folder.path()).expect("a store").below("desk").expect("a prefix");
    open().put(KEY, Bytes::from_static(b"kept")).await.expect("put");
    assert_eq!(open().get(KEY).await.expect("got").as_deref(), Some(b"kept".as_slice()));
    // No half-written file is left beside it.
    let file = folder.path().join("desk").join(KEY);
    let siblings = std::fs::read_dir(file.parent().expect("a folder")).expect("listed").count();
    assert_eq!((siblings, std::fs::read(file).expect("a file")), (1, b"kept".to_vec()));
}

#[tokio::test]
async fn two_prefixes_of_one_store_do_not_see_each_other() {
    let store = ObjectBlobs::memory();
    let (a, b) = (store.clone().below("a").expect("a prefix"), store.clone().below("b/c").expect("a prefix"));
    a.put("file", Bytes::from_static(b"of a")).await.expect("put");
    assert_eq!(b.get("file").await.expect("got"), None);
    assert!(store.get("a/file").await.expect("got").is_some());
    assert!(matches!(store.below("../b"), Err(SetupError::Prefix)));
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    let refused = ObjectBlobs::folder(file.join("below"));
    assert!(matches!(refused, Err(SetupError::Folder { .. })));
}
