//! A bucket of a server that speaks S3: requests signed for a few minutes, whole objects.

use std::{sync::mpsc, time::Duration};

use rusty_s3::{Bucket as Address, Credentials, S3Action as _, UrlStyle, actions::ListObjectsV2};
use secrecy::{ExposeSecret, SecretString};

use super::{CloudError, MOST_BYTES};

/// How a bucket is reached.
#[derive(Clone, Debug)]
pub struct BucketAccess {
    /// Address of the server: `https://s3.eu-central-1.amazonaws.com`.
    pub endpoint: String,
    pub region: String,
    pub bucket: String,
    /// What keys begin with; may be empty.
    pub prefix: String,
    pub key: String,
    pub secret: SecretString,
}

/// A bucket.
#[derive(Debug)]
pub struct Bucket {
    address: Address,
    credentials: Credentials,
    prefix: String,
}

/// For how long a signature holds, and how long a request may take.
const SIGNED: Duration = Duration::from_mins(10);
const PATIENCE: Duration = Duration::from_mins(10);

impl Bucket {
    /// A bucket; nothing is asked of it yet.
    ///
    /// # Errors
    /// Where the address is none.
    pub fn new(access: &BucketAccess) -> Result<Self, CloudError> {
        let endpoint = access.endpoint.parse().map_err(|error| {
            CloudError::Failed(format!("the address of the bucket's server is none: {error}"))
        })?;
        let address = Address::new(
            endpoint,
            UrlStyle::Path,
            access.bucket.clone(),
            access.region.clone(),
        )
        .map_err(|error| CloudError::Failed(format!("the bucket cannot be addressed: {error}")))?;
        let prefix = match access.prefix.trim_matches('/') {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        Ok(Self {
            address,
            credentials: Credentials::new(access.key.clone(), access.secret.expose_secret().to_owned()),
            prefix,
        })
    }

    pub(super) fn put(&self, key: &str, bytes: &[u8]) -> Result<(), CloudError> {
        let key = format!("{}{key}", self.prefix);
        let url = self
            .address
            .put_object(Some(&self.credentials), &key)
            .sign(SIGNED);
        let body = bytes.to_vec();
        request(key, move |client| client.put(url.as_str()).body(body)).map(|_| ())
    }

    pub(super) fn get(&self, key: &str) -> Result<Vec<u8>, CloudError> {
        let key = format!("{}{key}", self.prefix);
        let url = self
            .address
            .get_object(Some(&self.credentials), &key)
            .sign(SIGNED);
        request(key, move |client| client.get(url.as_str()))
    }

    /// Folders below the prefix.
    pub(super) fn folders(&self) -> Result<Vec<String>, CloudError> {
        let mut found = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut list = self.address.list_objects_v2(Some(&self.credentials));
            list.with_prefix(self.prefix.clone());
            if let Some(token) = next.take() {
                list.with_continuation_token(token);
            }
            let url = list.sign(SIGNED);
            let bytes = request(self.address.name().to_owned(), move |client| {
                client.get(url.as_str())
            })?;
            let page =
                ListObjectsV2::parse_response(String::from_utf8_lossy(&bytes).as_ref()).map_err(|error| {
                    CloudError::Failed(format!("the list of the bucket cannot be read: {error}"))
                })?;
            found.extend(page.contents.iter().filter_map(|object| {
                let key = object.key.strip_prefix(&self.prefix)?;
                Some(key.strip_suffix("/snapshot.json")?.to_owned())
            }));
            match page.next_continuation_token {
                Some(token) if found.len() < 10_000 => next = Some(token),
                _ => break,
            }
        }
        found.sort();
        Ok(found)
    }
}

/// One request, whole. The hub's tools block while they work, on threads that may belong to a runtime already: it gets
/// a thread and a runtime of its own.
fn request(
    what: String,
    make: impl FnOnce(reqwest::Client) -> reqwest::RequestBuilder + Send + 'static,
) -> Result<Vec<u8>, CloudError> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let result = match runtime {
            Ok(runtime) => runtime.block_on(exchange(&what, make)),
            Err(error) => Err(CloudError::Failed(error.to_string())),
        };
        // Nobody waits any more where the hub is gone.
        let _ = send.send(result);
    });
    receive
        .recv()
        .unwrap_or_else(|_| Err(CloudError::Failed("the request broke off".to_owned())))
}

async fn exchange(
    what: &str,
    make: impl FnOnce(reqwest::Client) -> reqwest::RequestBuilder,
) -> Result<Vec<u8>, CloudError> {
    let failed = |error: reqwest::Error| {
        // Without the address, which is signed.
        CloudError::Failed(format!("the bucket cannot be reached: {}", error.without_url()))
    };
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only where somebody else installed one just now; then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .timeout(PATIENCE)
        .build()
        .map_err(failed)?;
    let response = make(client).send().await.map_err(failed)?;
    let status = response.status();
    if status.as_u16() == 404 {
        return Err(CloudError::Missing(what.to_owned()));
    }
    if response
        .content_length()
        .is_some_and(|length| length > MOST_BYTES)
    {
        return Err(CloudError::Failed(format!(
            "`{what}` is larger than the {MOST_BYTES} bytes that are fetched"
        )));
    }
    let bytes = response.bytes().await.map_err(failed)?;
    if !status.is_success() {
        let text = String::from_utf8_lossy(&bytes);
        let code = text
            .split_once("<Code>")
            .and_then(|(_, rest)| rest.split_once("</Code>"))
            .map_or_else(String::new, |(code, _)| {
                let code: String = code
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .take(60)
                    .collect();
                format!(" ({code})")
            });
        return Err(CloudError::Failed(format!(
            "the bucket answered {}{code} for `{what}`",
            status.as_u16()
        )));
    }
    Ok(bytes.to_vec())
}
