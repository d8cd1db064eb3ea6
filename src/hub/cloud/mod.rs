//! Cloud storage of snapshots: a bucket that speaks S3, or a folder in its place.
//!
//! A snapshot lies there as a capture directory of its own: a pcap a node, the names of the workloads, and
//! `snapshot.json` with the hash of each file, written last. What is damaged is not restored.

mod bucket;
mod folder;
mod parcel;

use std::path::PathBuf;

pub use bucket::{Bucket, BucketAccess};
pub(super) use parcel::{Parcel, label};

/// Where snapshots are kept beyond the hub's life.
#[derive(Debug)]
pub enum Cloud {
    Folder(PathBuf),
    Bucket(Box<Bucket>),
}

/// Why something could not be kept or fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    #[error("there is no `{0}` in cloud storage")]
    Missing(String),
    #[error("{0}")]
    Failed(String),
}

/// Largest object that is fetched, bytes.
const MOST_BYTES: u64 = 4 << 30;

impl Cloud {
    /// As `get_cloud_storage_status` names it.
    pub(super) fn provider(&self) -> &'static str {
        match self {
            Self::Folder(_) => "folder",
            Self::Bucket(_) => "s3",
        }
    }

    /// Whether it can be reached.
    pub(super) fn connected(&self) -> bool {
        self.folders().is_ok()
    }

    /// Keeps a file of a snapshot.
    pub(super) fn put(&self, folder: &str, file: &str, bytes: &[u8]) -> Result<(), CloudError> {
        match self {
            Self::Folder(root) => folder::put(root, folder, file, bytes),
            Self::Bucket(bucket) => bucket.put(&format!("{folder}/{file}"), bytes),
        }
    }

    /// Fetches a file of a snapshot.
    pub(super) fn get(&self, folder: &str, file: &str) -> Result<Vec<u8>, CloudError> {
        match self {
            Self::Folder(root) => folder::get(root, folder, file),
            Self::Bucket(bucket) => bucket.get(&format!("{folder}/{file}")),
        }
    }

    /// The folders of snapshots, in the order of their names.
    pub(super) fn folders(&self) -> Result<Vec<String>, CloudError> {
        match self {
            Self::Folder(root) => folder::list(root),
            Self::Bucket(bucket) => bucket.folders(),
        }
    }
}
