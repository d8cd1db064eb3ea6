//! What the bot says, as messages of Slack. The limits of Block Kit and the harmlessness of foreign text are kept by the
//! types of [`kit`].

mod alert;
mod dialog;
mod home;
pub mod kit;
mod running;
mod verdict;

pub use alert::{AlertShown, alert, alert_over};
pub use dialog::{
    ApprovalShown, Choices, Settled, answer, approval, approval_settled, help, question, question_settled,
    told, whisper,
};
pub use home::home;
pub use running::{ProgressFacts, SHOWN, failed, followed, following, progress, queued, stopped};
pub use verdict::{title, verdict};
