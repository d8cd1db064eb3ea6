//! How much of the abnormal and of the good calls have a value in common, as two bars.

use maud::html;

use super::{Picture, round};
use crate::report::picture::CommonFactor;

/// Two bars from 0 to all.
#[expect(clippy::cast_precision_loss, reason = "numbers of calls")]
pub(in crate::report) fn shares(factor: &CommonFactor) -> Picture {
    const WIDTH: f64 = 160.0;
    let part = |count: u64, of: u64| (count as f64 / of.max(1) as f64).clamp(0.0, 1.0);
    let (failing, good) = (
        part(factor.failing, factor.failing_of),
        part(factor.good, factor.good_of),
    );
    Picture {
        width: WIDTH,
        height: 22.0,
        title: format!(
            "{:.0} % of the abnormal calls, {:.0} % of the good ones",
            failing * 100.0,
            good * 100.0
        ),
        body: html! {
            @for (at, share, class) in [(1, failing, "failing"), (12, good, "calls")] {
                rect class="rail" x="0" y=(at) width=(round(WIDTH)) height="9" {}
                rect class=(class) x="0" y=(at) width=(round(WIDTH * share)) height="9" {}
            }
        },
    }
}
