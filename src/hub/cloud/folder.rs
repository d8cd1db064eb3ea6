//! A folder in the place of a bucket.

use std::{fs, io::ErrorKind, path::Path};

use super::{CloudError, MOST_BYTES};

fn failed(path: &Path, error: &std::io::Error) -> CloudError {
    CloudError::Failed(format!("`{}`: {error}", path.display()))
}

pub(super) fn put(root: &Path, folder: &str, file: &str, bytes: &[u8]) -> Result<(), CloudError> {
    let dir = root.join(folder);
    fs::create_dir_all(&dir).map_err(|error| failed(&dir, &error))?;
    let path = dir.join(file);
    // Whole or not at all: somebody may look while it is written.
    let part = dir.join(format!("{file}.part"));
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, &path))
        .map_err(|error| failed(&path, &error))
}

pub(super) fn get(root: &Path, folder: &str, file: &str) -> Result<Vec<u8>, CloudError> {
    let path = root.join(folder).join(file);
    match fs::metadata(&path) {
        Ok(found) if found.len() > MOST_BYTES => Err(CloudError::Failed(format!(
            "`{}` has {} bytes; at most {MOST_BYTES} are fetched",
            path.display(),
            found.len()
        ))),
        Ok(_) => fs::read(&path).map_err(|error| failed(&path, &error)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(CloudError::Missing(format!("{folder}/{file}")))
        }
        Err(error) => Err(failed(&path, &error)),
    }
}

pub(super) fn list(root: &Path) -> Result<Vec<String>, CloudError> {
    let entries = fs::read_dir(root).map_err(|error| failed(root, &error))?;
    let mut found: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join("snapshot.json").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    found.sort();
    Ok(found)
}
