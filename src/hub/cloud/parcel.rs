//! A snapshot as it lies in cloud storage.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Cloud, CloudError};

/// Version of the form. 1: the first.
const FORMAT: u32 = 1;
const LABEL: &str = "snapshot.json";
const WORKLOADS: &str = "workloads.json";

/// What `snapshot.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::hub) struct Label {
    format: u32,
    pub id: String,
    pub name: String,
    pub start_us: i64,
    pub end_us: i64,
    /// Unix ms.
    pub created_ms: i64,
    pub bytes: u64,
    nodes: Vec<Contents>,
    workloads: Option<Contents>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Contents {
    /// The node, or the file's purpose.
    of: String,
    file: String,
    sha256: String,
}

/// A snapshot taken apart.
#[derive(Clone, Debug)]
pub(in crate::hub) struct Parcel {
    pub id: String,
    pub name: String,
    pub start_us: i64,
    pub end_us: i64,
    pub created_ms: i64,
    /// The packets of each node as a pcap file.
    pub nodes: Vec<(String, Vec<u8>)>,
    /// Who had which address, as `workloads.json` says it.
    pub workloads: Option<Vec<u8>>,
}

impl Label {
    pub(in crate::hub) fn node_count(&self) -> usize {
        self.nodes.len()
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// The folder of a snapshot: its name, with what no path should hold spelled out.
fn folder(name: &str) -> String {
    name.bytes()
        .fold(String::with_capacity(name.len()), |mut folder, byte| {
            if byte.is_ascii_alphanumeric()
                || byte == b'-'
                || byte == b'_'
                || (byte == b'.' && !folder.is_empty())
            {
                folder.push(char::from(byte));
            } else {
                let _ = write!(folder, "%{byte:02x}");
            }
            folder
        })
}

/// What is written about the snapshot of that name.
pub(in crate::hub) fn label(cloud: &Cloud, name: &str) -> Result<Label, CloudError> {
    read(cloud, &folder(name))
}

fn read(cloud: &Cloud, folder: &str) -> Result<Label, CloudError> {
    let bytes = cloud.get(folder, LABEL)?;
    let label: Label = serde_json::from_slice(&bytes)
        .map_err(|error| CloudError::Failed(format!("`{folder}/{LABEL}` cannot be read: {error}")))?;
    if label.format != FORMAT {
        return Err(CloudError::Failed(format!(
            "`{folder}` has the form {}; this version reads {FORMAT}",
            label.format
        )));
    }
    Ok(label)
}

impl Cloud {
    /// Everything that lies there and can be read.
    pub(in crate::hub) fn labels(&self) -> Result<Vec<Label>, CloudError> {
        Ok(self
            .folders()?
            .iter()
            .filter_map(|folder| read(self, folder).ok())
            .collect())
    }
}

impl Parcel {
    /// Keeps it; the label comes last, so that half a snapshot is none.
    pub(in crate::hub) fn keep(&self, cloud: &Cloud) -> Result<(), CloudError> {
        let folder = folder(&self.name);
        let mut nodes = Vec::new();
        for (number, (node, bytes)) in self.nodes.iter().enumerate() {
            let file = format!("node-{}.pcap", number + 1);
            cloud.put(&folder, &file, bytes)?;
            nodes.push(Contents {
                of: node.clone(),
                sha256: hash(bytes),
                file,
            });
        }
        let workloads = match &self.workloads {
            Some(bytes) => {
                cloud.put(&folder, WORKLOADS, bytes)?;
                Some(Contents {
                    of: "workloads".to_owned(),
                    file: WORKLOADS.to_owned(),
                    sha256: hash(bytes),
                })
            }
            None => None,
        };
        let label = Label {
            format: FORMAT,
            id: self.id.clone(),
            name: self.name.clone(),
            start_us: self.start_us,
            end_us: self.end_us,
            created_ms: self.created_ms,
            bytes: self.nodes.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
            nodes,
            workloads,
        };
        let text =
            serde_json::to_vec_pretty(&label).map_err(|error| CloudError::Failed(error.to_string()))?;
        cloud.put(&folder, LABEL, &text)
    }

    /// Fetches it, and holds every file against its hash.
    pub(in crate::hub) fn fetch(cloud: &Cloud, name: &str) -> Result<Self, CloudError> {
        let folder = folder(name);
        let label = read(cloud, &folder)?;
        let whole = |contents: &Contents| -> Result<Vec<u8>, CloudError> {
            // A name that leads elsewhere is none of ours.
            if contents.file.contains(['/', '\\']) {
                return Err(CloudError::Failed(format!(
                    "`{folder}/{LABEL}` names `{}`, which is no file of it",
                    contents.file
                )));
            }
            let bytes = cloud.get(&folder, &contents.file)?;
            if hash(&bytes) == contents.sha256 {
                Ok(bytes)
            } else {
                Err(CloudError::Failed(format!(
                    "`{folder}/{}` is damaged: its hash is another than `{LABEL}` says",
                    contents.file
                )))
            }
        };
        let mut nodes = Vec::new();
        for contents in &label.nodes {
            nodes.push((contents.of.clone(), whole(contents)?));
        }
        Ok(Self {
            workloads: label.workloads.as_ref().map(whole).transpose()?,
            id: label.id,
            name: label.name,
            start_us: label.start_us,
            end_us: label.end_us,
            created_ms: label.created_ms,
            nodes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel() -> Parcel {
        Parcel {
            id: "s-1".to_owned(),
            name: "rca-../x".to_owned(),
            start_us: 1,
            end_us: 2,
            created_ms: 3,
            nodes: vec![("node/1".to_owned(), b"packets".to_vec())],
            workloads: Some(b"{}".to_vec()),
        }
    }

    #[test]
    fn what_is_kept_is_fetched_and_what_is_damaged_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let cloud = Cloud::Folder(dir.path().to_owned());
        parcel().keep(&cloud).unwrap();
        let labels = cloud.labels().unwrap();
        assert_eq!((labels.len(), labels[0].name.as_str()), (1, "rca-../x"));
        let fetched = Parcel::fetch(&cloud, "rca-../x").unwrap();
        assert_eq!(fetched.nodes, parcel().nodes);
        let folder = dir.path().join("rca-..%2fx");
        std::fs::write(folder.join("node-1.pcap"), b"other").unwrap();
        let damaged = Parcel::fetch(&cloud, "rca-../x").unwrap_err();
        assert!(damaged.to_string().contains("is damaged"), "{damaged}");
        assert_eq!(
            Parcel::fetch(&cloud, "nobody").unwrap_err(),
            CloudError::Missing("nobody/snapshot.json".to_owned())
        );
    }
}
