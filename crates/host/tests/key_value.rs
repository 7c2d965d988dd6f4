//! The SQLite store: what it keeps, and how it handles files that are not valid.

use function_fetch_host::key_value::{KeyValueStore, MemoryStore, SqliteStore, StoreLimits};
use std::path::PathBuf;
use std::process::Command;

/// A separate folder for a test.
fn folder(name: &str) -> PathBuf {
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn sqlite(path: PathBuf) -> SqliteStore {
    SqliteStore::new(path, "default".to_owned(), StoreLimits::default())
}

#[tokio::test]
async fn stores_agree_on_every_operation() {
    let stores: [Box<dyn KeyValueStore>; 2] = [
        Box::new(MemoryStore::default()),
        Box::new(sqlite(folder("operations").join("made/on/demand.db"))),
    ];
    for store in stores {
        let key = || "proxy:fastest".to_owned();
        assert_eq!(store.get(key()).await, Ok(None));
        assert_eq!(store.exists(key()).await, Ok(false));
        assert_eq!(store.delete(key()).await, Ok(()));
        assert_eq!(store.set(key(), b"1".to_vec()).await, Ok(()));
        assert_eq!(store.set(key(), b"\0\xff".to_vec()).await, Ok(()));
        assert_eq!(store.get(key()).await, Ok(Some(b"\0\xff".to_vec())));
        assert_eq!(store.exists(key()).await, Ok(true));
        assert_eq!(store.keys().await, Ok(vec![key()]));
        assert_eq!(store.delete(key()).await, Ok(()));
        assert_eq!(store.keys().await, Ok(vec![]));
    }
}

const SMALL: StoreLimits = StoreLimits {
    max_value_bytes: 1000,
    max_keys: 3,
};

#[tokio::test]
async fn values_and_lists_are_limited() {
    let path = folder("limits").join("store.db");
    let large = sqlite(path.clone());
    let key = |number: usize| format!("key {number}");
    for (number, size) in [0, 1000, 1001, 300_000].into_iter().enumerate() {
        large.set(key(number), vec![7; size]).await.unwrap();
    }
    let small = SqliteStore::new(path, "default".to_owned(), SMALL);
    assert_eq!(small.get(key(1)).await, Ok(Some(vec![7; 1000])));
    for number in [2, 3] {
        let refusal = small.get(key(number)).await.unwrap_err().to_string();
        assert!(refusal.contains("larger than 1000 bytes"), "{refusal}");
    }
    assert_eq!(small.exists(key(3)).await, Ok(true));
    let refusal = small.keys().await.unwrap_err().to_string();
    assert!(refusal.contains("more than 3 keys"), "{refusal}");
    // It is replaced by one that fits.
    assert_eq!(small.set(key(3), vec![8; 1000]).await, Ok(()));
    assert_eq!(small.get(key(3)).await, Ok(Some(vec![8; 1000])));
    small.delete(key(0)).await.unwrap();
    assert_eq!(small.keys().await.unwrap().len(), 3);

    let memory = MemoryStore::new(SMALL);
    for store in [&small as &dyn KeyValueStore, &memory] {
        assert!(store.set(key(1), vec![7; 1001]).await.is_err());
    }
    for number in 0..3 {
        assert_eq!(memory.set(key(number), vec![7; 1000]).await, Ok(()));
    }
    assert!(memory.set(key(3), vec![]).await.is_err());
    assert_eq!(memory.set(key(2), vec![]).await, Ok(()));
}

#[tokio::test]
async fn sqlite_outlives_the_store_and_keeps_labels_apart() {
    let path = folder("persistence").join("store.db");
    sqlite(path.clone())
        .set("k".to_owned(), b"v".to_vec())
        .await
        .unwrap();
    assert_eq!(
        sqlite(path.clone()).get("k".to_owned()).await,
        Ok(Some(b"v".to_vec()))
    );
    let other = SqliteStore::new(path, "other".to_owned(), StoreLimits::default());
    assert_eq!(other.get("k".to_owned()).await, Ok(None));
}

const WRITER: &str = "FUNCTION_FETCH_TEST_WRITER";
const WRITES: usize = 200;

/// Not a separate test: what each process of the next test runs.
#[tokio::test]
async fn writer_process() {
    let Ok(path) = std::env::var(WRITER) else {
        return;
    };
    let store = sqlite(path.into());
    for number in 0..WRITES {
        let key = format!("{}-{number}", std::process::id());
        store.set(key, vec![0; 100]).await.unwrap();
    }
}

#[tokio::test]
async fn sqlite_is_shared_by_processes_that_write_at_once() {
    let path = folder("processes").join("store.db");
    let mut writers: Vec<_> = (0..3)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "writer_process"])
                .env(WRITER, &path)
                .spawn()
                .unwrap()
        })
        .collect();
    for writer in &mut writers {
        assert!(writer.wait().unwrap().success());
    }
    assert_eq!(sqlite(path).keys().await.unwrap().len(), 3 * WRITES);
}

#[tokio::test]
async fn a_sqlite_error_fails_the_operation_only_and_ends_with_its_cause() {
    let folder = folder("trouble");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("store.db");
    std::fs::write(
        &path,
        b"this is no database, and long enough to be told from one",
    )
    .unwrap();
    let store = sqlite(path.clone());
    assert!(store.get("k".to_owned()).await.is_err());
    assert!(store.set("k".to_owned(), b"v".to_vec()).await.is_err());
    std::fs::remove_file(&path).unwrap();
    assert_eq!(store.set("k".to_owned(), b"v".to_vec()).await, Ok(()));

    assert!(
        sqlite(path.join("below/a/file.db"))
            .get("k".to_owned())
            .await
            .is_err()
    );
}
