//! The Kubeshark client.
