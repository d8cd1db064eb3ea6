//! How much of a file is there while a server writes it.
//!
//! A server that runs on this machine writes a download to where it was told to: it is seen growing. One that runs
//! elsewhere writes it there, and there is nothing to see.

use std::{future::Future, path::Path, time::Duration};

/// Told how many bytes of a file have arrived so far.
pub type Arriving = Box<dyn Fn(u64) + Send + Sync>;

/// How often the file is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// Waits for `call`, which makes `file`, and tells meanwhile whenever it has grown.
pub(super) async fn watched<T>(call: impl Future<Output = T>, file: &Path, tell: &Arriving) -> T {
    tokio::pin!(call);
    let mut looks = tokio::time::interval(EVERY);
    // What is there before the call has begun is not of this download.
    looks.tick().await;
    let mut told = 0;
    loop {
        tokio::select! {
            biased;
            done = &mut call => return done,
            _ = looks.tick() => {
                let size = std::fs::metadata(file).map_or(0, |file| file.len());
                if size > told {
                    told = size;
                    tell(size);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_file_is_told_as_it_grows() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.pcap");
        let told: Arc<Mutex<Vec<u64>>> = Arc::default();
        let heard = Arc::clone(&told);
        let tell: Arriving = Box::new(move |bytes| heard.lock().unwrap().push(bytes));
        let path = file.clone();
        // Three parts, a little more than a second each; the call ends before the last one is looked at.
        let call = async move {
            for part in 0..3_usize {
                tokio::time::sleep(Duration::from_millis(1_100)).await;
                std::fs::write(&path, vec![0; (part + 1) * 1_000]).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            "done"
        };
        assert_eq!(watched(call, &file, &tell).await, "done");
        // No size is told twice, and none after the end.
        assert_eq!(*told.lock().unwrap(), [1_000, 2_000]);
    }
}
