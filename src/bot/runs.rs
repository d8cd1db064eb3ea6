//! What the bot needs of the rest of the program. The command line provides it.

use std::path::Path;

use super::work::{Follow, Request};
use crate::{
    driver::{Performed, Watch},
    error::AppError,
    report::Report,
};

/// Runs cases.
pub trait Runs: Send + Sync {
    /// Runs the case in `dir` to its end; goes on with it where `dir` holds a journal. Dropping the future stops it,
    /// and leaves a journal that can be gone on with.
    fn investigate<'a>(
        &'a self,
        request: &'a Request,
        dir: &'a Path,
        watch: &'a mut dyn Watch,
    ) -> Performed<'a, Result<Ended, AppError>>;

    /// Does something with the case in `dir`, which is done.
    fn follow<'a>(&'a self, follow: &'a Follow, dir: &'a Path) -> Performed<'a, Result<Followed, AppError>>;
}

/// What an investigation came to.
#[derive(Clone, Debug)]
pub struct Ended {
    pub report: Box<Report>,
    pub files: Vec<Attachment>,
}

/// What a follow-up came to.
#[derive(Clone, Debug)]
pub struct Followed {
    /// Lines of plain text, as a terminal shows them. Untrusted.
    pub text: String,
    pub files: Vec<Attachment>,
}

/// A file for the thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Without a directory.
    pub name: String,
    pub title: String,
    pub bytes: Vec<u8>,
}
