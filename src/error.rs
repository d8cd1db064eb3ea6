//! Errors as people meet them: what could not be done, because of what, and what to do about it.

use std::fmt;

/// What sort of error it is, which decides the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Wrong usage: exit status 2.
    Usage,
    /// No server, no permission, no capture, no such file: exit status 1.
    Environment,
    /// Nothing is recorded of what was asked about: exit status 3.
    NoData,
    /// A replay diverged or a verification failed: exit status 4.
    Diverged,
    /// A bug in rca-agent: exit status 70.
    Bug,
}

impl Kind {
    pub fn status(self) -> u8 {
        match self {
            Self::Environment => 1,
            Self::Usage => 2,
            Self::NoData => 3,
            Self::Diverged => 4,
            Self::Bug => 70,
        }
    }
}

/// An error at the edge of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppError {
    pub kind: Kind,
    /// What could not be done, a lower-case fragment.
    pub what: String,
    /// Because of what, the outermost reason first.
    pub because: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl AppError {
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            because: Vec::new(),
            hints: Vec::new(),
        }
    }

    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Kind::Usage, what)
    }

    pub fn environment(what: impl Into<String>) -> Self {
        Self::new(Kind::Environment, what)
    }

    /// Adds an error and everything that it says caused it.
    #[must_use]
    pub fn because(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let reason = error.to_string();
            // A transparent error says what its source says.
            if self.because.last() != Some(&reason) {
                self.because.push(reason);
            }
            next = error.source();
        }
        self
    }

    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.because.push(reason.into());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        for reason in &self.because {
            write!(f, "\n  because: {}", reason.trim_end().replace('\n', "\n    "))?;
        }
        for hint in &self.hints {
            write!(f, "\nhint: {}", hint.trim_end().replace('\n', "\n  "))?;
        }
        Ok(())
    }
}

impl std::error::Error for AppError {}
