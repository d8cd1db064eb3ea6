//! Something was heard: what is known of it is gathered, what follows is decided and done.

use super::{Desk, Trouble};
use crate::bot::{
    conversation::{self, CaseInfo, Decision, Known},
    incoming::{self, Delivery, Incoming},
    person::{Person, Place, Profile},
    store::{Change, Lease, Outcome},
};

type Done = Result<(Outcome, Vec<Change>), Trouble>;

impl Desk {
    pub(super) async fn hear(&self, delivery: &Delivery) -> Done {
        let heard = incoming::read(delivery, &self.me);
        let fresh = self.fresh(&delivery.id, delivery.received);
        let (known, home) = match &heard {
            Incoming::Ignored { .. } => return Ok((Outcome::Done, Vec::new())),
            Incoming::Asked { by, at, .. } => (self.known(by, at, None, fresh).await?, Some(at.clone())),
            Incoming::Pressed { by, at, value, .. } => {
                (self.known(by, at, Some(value), fresh).await?, Some(at.clone()))
            }
            Incoming::Home { by } => {
                let mut known = Known::nothing(fresh);
                known.profile = self.profile(by).await;
                known.recent = self
                    .store
                    .cases_of(by)
                    .await?
                    .into_iter()
                    .map(CaseInfo::from)
                    .collect();
                (known, None)
            }
            Incoming::Alert(alert) => {
                let mut known = Known::nothing(fresh);
                let last = self
                    .store
                    .cases_of_alert(&alert.fingerprint)
                    .await?
                    .into_iter()
                    .next();
                if let Some(row) = last {
                    let at = row.case.at.clone();
                    known.alerted_thread = self.store.thread(&at).await?.0;
                    known.alerted = Some(CaseInfo::from(row));
                }
                let place = known.alerted.as_ref().map(|case| case.at.clone());
                (known, place)
            }
        };
        let fingerprint = match &heard {
            Incoming::Alert(alert) => Some(alert.fingerprint.as_str()),
            _ => None,
        };
        let decision = conversation::decide(&heard, &known, &self.policy, self.now());
        self.carry_out(decision, home, fingerprint).await
    }

    /// Nobody answered a question.
    pub(super) async fn assume(&self, place: &Place, question: &str, lease: &Lease) -> Done {
        let mut known = Known::nothing(self.fresh(&lease.key, lease.created));
        let (thread, case) = self.store.thread(place).await?;
        known.thread = thread;
        known.case = case.map(CaseInfo::from);
        known.ahead = self.store.ahead(&place.team).await?;
        let decision = conversation::assume(place, question, &known, &self.policy, self.now());
        self.carry_out(decision, Some(place.clone()), None).await
    }

    async fn carry_out(&self, decision: Decision, home: Option<Place>, fingerprint: Option<&str>) -> Done {
        let mut performed = super::perform::Performed::default();
        for step in decision.steps {
            self.take(step, fingerprint, &mut performed).await?;
        }
        let mut changes = performed.changes;
        let place = performed.opened.or(home).filter(|place| place.thread.is_some());
        if let (Some(state), Some(place)) = (decision.thread, place) {
            changes.push(Change::Thread { place, state });
        }
        Ok((Outcome::Done, changes))
    }

    /// What is known where somebody speaks. `pressed`: what their button says.
    async fn known(
        &self,
        by: &Person,
        at: &Place,
        pressed: Option<&str>,
        fresh: String,
    ) -> Result<Known, Trouble> {
        let mut known = Known::nothing(fresh);
        let (thread, case) = self.store.thread(at).await?;
        known.thread = thread;
        known.case = case.map(CaseInfo::from);
        if let Some(value) = pressed
            && let Some(row) = self.store.case(value).await?
            // A button of another channel's case would be one that somebody made up.
            && row.case.at.team == at.team
            && row.case.at.channel == at.channel
        {
            known.case = Some(CaseInfo::from(row));
        }
        known.profile = self.profile(by).await;
        known.ahead = self.store.ahead(&at.team).await?;
        Ok(known)
    }

    /// Who somebody is. That Slack does not tell keeps nobody from asking.
    async fn profile(&self, by: &Person) -> Option<Profile> {
        match self.slack.profile(by).await {
            Ok(profile) => Some(profile),
            Err(error) => {
                tracing::warn!(%error, "Slack does not tell who somebody is");
                None
            }
        }
    }
}
