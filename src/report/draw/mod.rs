//! Pictures from the report value, as SVG. Pure: the same report is the same picture.
//!
//! Colours are classes, so that a page can be light or dark; [`svg`] puts them into a picture that stands alone. The
//! libraries that draw charts write colours and fonts into every element and know no local time.

mod axis;
mod chart;
mod graph;
mod place;
mod shares;
mod strip;

use maud::{Markup, PreEscaped, html};

pub(super) use chart::chart;
pub(super) use graph::graph;
pub use place::{Place, Placement, place};
pub(super) use shares::shares;
pub(super) use strip::strip;

use super::document::plain;

/// A picture: its size in user units, what it shows in words, and its elements.
pub(super) struct Picture {
    pub width: f64,
    pub height: f64,
    pub title: String,
    pub body: Markup,
}

impl Picture {
    /// As an element of a page, whose style sheet has the colours.
    pub(super) fn inline(&self, class: &str) -> Markup {
        let view = format!("0 0 {:.0} {:.0}", self.width, self.height);
        html! {
            svg class=(class) role="img" viewBox=(view) width=(round(self.width)) height=(round(self.height))
                aria-label=(self.title) { (self.body) }
        }
    }

    /// As a file of its own, on white, under a heading.
    pub(super) fn alone(&self, heading: &str) -> String {
        const HEAD: f64 = 40.0;
        let heading = short(heading, 110);
        // As wide as the heading, too: a character of it is about so many units.
        let letters = heading.chars().fold(0.0, |width, _| width + 9.0);
        let (width, height) = (self.width.max(letters + 28.0), self.height + HEAD);
        let view = format!("0 0 {width:.0} {height:.0}");
        html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(view) width=(round(width)) height=(round(height)) {
                style { (PreEscaped(include_str!("alone.css"))) }
                rect width="100%" height="100%" fill="#ffffff" {}
                text class="heading" x="14" y="27" { (heading) }
                g transform=(format!("translate(0 {HEAD:.0})")) { (self.body) }
            }
        }
        .into_string()
    }
}

/// A coordinate with a tenth: shorter, and the same on every machine.
pub(super) fn round(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// A name that fits `most` characters; what is cut off is told by the title beside it.
pub(super) fn short(name: &str, most: usize) -> String {
    let name = plain(name);
    if name.chars().count() <= most {
        return name;
    }
    name.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
