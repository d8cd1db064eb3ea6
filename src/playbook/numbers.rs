//! The numbers of a playbook: said, or taken from the one that it builds on, and inside what makes sense.

use std::fmt;

use super::{
    check::{Checker, Finding},
    file::{At, File},
};
use crate::{
    analysis::Thresholds,
    investigation::{
        Budget, Playbook,
        settings::{SurveyRules, WaitRules},
    },
};

impl Checker {
    /// What is said, else what the playbook says that this one builds on.
    pub(super) fn number<T: Copy + PartialOrd + Default + fmt::Display>(
        &mut self,
        said: Option<&At<T>>,
        base: Option<T>,
        name: &str,
        (least, most): (T, T),
    ) -> T {
        let Some(said) = said else {
            if base.is_none() {
                self.found.push(Finding {
                    line: 0,
                    column: 0,
                    message: format!("`{name}` is missing"),
                    suggestion: Some(
                        "only the playbook that is built in stands on no other: this is a bug".to_owned(),
                    ),
                });
            }
            return base.unwrap_or_default();
        };
        if said.value < least || said.value > most {
            self.say(
                said,
                format!("`{name}` is {}, and may be from {least} to {most}", said.value),
                match base {
                    Some(base) => format!("leave it out for the usual {base}"),
                    None => format!("write a number from {least} to {most}"),
                },
            );
        }
        said.value
    }

    pub(super) fn wait(&mut self, file: &File, base: Option<&Playbook>) -> WaitRules {
        const DAY: u64 = 86_400;
        let (said, base) = (&file.wait, base.map(|base| &base.wait));
        WaitRules {
            first_ms: self.number(
                said.first_ms.as_ref(),
                base.map(|base| base.first_ms),
                "wait.first_ms",
                (1, 60_000),
            ),
            longest_ms: self.number(
                said.longest_ms.as_ref(),
                base.map(|base| base.longest_ms),
                "wait.longest_ms",
                (1, 600_000),
            ),
            snapshot_seconds: self.number(
                said.snapshot_seconds.as_ref(),
                base.map(|base| base.snapshot_seconds),
                "wait.snapshot_seconds",
                (1, DAY),
            ),
            dissection_seconds: self.number(
                said.dissection_seconds.as_ref(),
                base.map(|base| base.dissection_seconds),
                "wait.dissection_seconds",
                (1, DAY),
            ),
        }
    }

    pub(super) fn budget(&mut self, file: &File, base: Option<&Playbook>) -> Budget {
        let (said, base) = (&file.budget, base.map(|base| &base.budget));
        Budget {
            calls: self.number(
                said.calls.as_ref(),
                base.map(|base| base.calls),
                "budget.calls",
                (1, 100_000),
            ),
            bytes: self.number(
                said.bytes.as_ref(),
                base.map(|base| base.bytes),
                "budget.bytes",
                (1, 1 << 40),
            ),
            seconds: self.number(
                said.seconds.as_ref(),
                base.map(|base| base.seconds),
                "budget.seconds",
                (1, 7 * 86_400),
            ),
        }
    }

    pub(super) fn survey(&mut self, file: &File, base: Option<&Playbook>) -> SurveyRules {
        let (said, base) = (&file.survey, base.map(|base| &base.survey));
        SurveyRules {
            rows: self.number(
                said.rows.as_ref(),
                base.map(|base| base.rows),
                "survey.rows",
                (1, 1000),
            ),
            lists: self.number(
                said.lists.as_ref(),
                base.map(|base| base.lists),
                "survey.lists",
                (1, 1000),
            ),
            sampled_lists: self.number(
                said.sampled_lists.as_ref(),
                base.map(|base| base.sampled_lists),
                "survey.sampled_lists",
                (1, 1000),
            ),
            sampled_rows: self.number(
                said.sampled_rows.as_ref(),
                base.map(|base| base.sampled_rows),
                "survey.sampled_rows",
                (1, 1000),
            ),
            counted_edges: self.number(
                said.counted_edges.as_ref(),
                base.map(|base| base.counted_edges),
                "survey.counted_edges",
                (0, 1000),
            ),
            abnormal_rows: self.number(
                said.abnormal_rows.as_ref(),
                base.map(|base| base.abnormal_rows),
                "survey.abnormal_rows",
                (1, 1000),
            ),
            abnormal: self.abnormal(file, base.map(|base| &base.abnormal)),
        }
    }

    fn abnormal(&mut self, file: &File, base: Option<&Thresholds>) -> Thresholds {
        let said = &file.survey.abnormal;
        Thresholds {
            share_rise: self.number(
                said.share_rise.as_ref(),
                base.map(|base| base.share_rise),
                "survey.abnormal.share_rise",
                (0.0, 1.0),
            ),
            failing_calls: self.number(
                said.failing_calls.as_ref(),
                base.map(|base| base.failing_calls),
                "survey.abnormal.failing_calls",
                (1, 1_000_000),
            ),
            latency_factor: self.number(
                said.latency_factor.as_ref(),
                base.map(|base| base.latency_factor),
                "survey.abnormal.latency_factor",
                (1.0, 1000.0),
            ),
            latency_rise_us: self.number(
                said.latency_rise_us.as_ref(),
                base.map(|base| base.latency_rise_us),
                "survey.abnormal.latency_rise_us",
                (0, 3_600_000_000),
            ),
            latency_calls: self.number(
                said.latency_calls.as_ref(),
                base.map(|base| base.latency_calls),
                "survey.abnormal.latency_calls",
                (1, 1_000_000),
            ),
        }
    }
}
