//! What changes state is done after somebody who may has said yes, in time, once.

use super::{
    Ctx, follow,
    step::Step,
    thread::{Approval, Thread},
    whispered,
};
use crate::{
    bot::{
        blocks::{self, ApprovalShown, Settled},
        person::{Person, Place},
        work::FollowUp,
    },
    time::Zone,
};

/// Asks for an approval.
pub(super) fn ask(
    what: FollowUp,
    case: &str,
    by: &Person,
    at: &Place,
    zone: Zone,
    thread: &mut Thread,
    context: Ctx<'_>,
) -> Vec<Step> {
    let waits = |known: &&Approval| {
        known.case == case && known.what == what && !known.settled && context.now < known.expires
    };
    if thread.approvals.iter().find(waits).is_some() {
        return vec![whispered(
            by,
            at,
            "That waits for an approval already, in this thread.",
        )];
    }
    let approval = Approval {
        key: format!("approval:{}", context.known.fresh),
        case: case.to_owned(),
        what,
        by: by.clone(),
        approvers: context.policy.approvers.clone(),
        expires: context
            .now
            .checked_add_signed(context.policy.approval())
            .unwrap_or(context.now),
        zone,
        settled: false,
    };
    let step = Step::Post {
        key: approval.key.clone(),
        at: at.clone(),
        message: blocks::approval(&shown(&approval)),
    };
    thread.keep_approval(approval);
    vec![step]
}

fn shown(approval: &Approval) -> ApprovalShown<'_> {
    ApprovalShown {
        key: &approval.key,
        case: &approval.case,
        what: approval.what,
        by: &approval.by,
        approvers: &approval.approvers,
        expires: approval.expires,
        zone: approval.zone,
    }
}

/// Somebody said yes or no.
pub(super) fn answered(
    key: &str,
    yes: bool,
    by: &Person,
    at: &Place,
    thread: &mut Thread,
    context: Ctx<'_>,
) -> Vec<Step> {
    let Some(approval) = thread.approvals.iter_mut().find(|known| known.key == key) else {
        return vec![whispered(
            by,
            at,
            "I do not know this request any more; please ask again.",
        )];
    };
    if approval.settled {
        return vec![whispered(by, at, "That was decided already.")];
    }
    let edit = |approval: &Approval, settled: &Settled<'_>| Step::Edit {
        key: approval.key.clone(),
        message: blocks::approval_settled(&shown(approval), settled),
    };
    if context.now >= approval.expires {
        approval.settled = true;
        return vec![
            edit(approval, &Settled::Expired),
            whispered(
                by,
                at,
                "That came too late: the request has expired. Please ask again.",
            ),
        ];
    }
    let may = by.team == approval.by.team
        && if approval.approvers.is_empty() {
            by.user == approval.by.user
        } else {
            approval.approvers.contains(&by.user)
        };
    // Whoever asked may always take it back.
    let own = !yes && *by == approval.by;
    if !may && !own {
        return vec![whispered(
            by,
            at,
            "You may not decide that; the message says who may.",
        )];
    }
    approval.settled = true;
    if !yes {
        return vec![edit(approval, &Settled::Declined(by))];
    }
    let mut steps = vec![edit(approval, &Settled::Approved(by))];
    steps.extend(follow::follow(
        approval.what,
        &approval.case,
        &approval.by,
        at,
        approval.zone,
        &approval.key,
    ));
    steps
}
