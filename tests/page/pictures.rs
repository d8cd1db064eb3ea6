//! Pictures as snapshots: a change of one is seen where it is made.

use rca_agent::report::{self, place};

use crate::pages::{captures, clock, report};

/// The first picture of a class in a page, an element a line.
fn picture(page: &str, class: &str) -> String {
    let start = page.find(&format!("<svg class=\"{class}\"")).expect("a picture");
    let rest = &page[start..];
    let end = rest.find("</svg>").expect("an end") + "</svg>".len();
    rest[..end].replace("><", ">\n<")
}

#[test]
fn the_pictures_of_the_demo() {
    let (_, page) = &captures()[0];
    for class in ["graph", "chart", "strip"] {
        insta::assert_snapshot!(format!("picture {class}"), picture(page, class));
    }
}

#[test]
fn the_graph_as_mermaid() {
    let document = report::document(&report(), &clock(), report::Detail::Full);
    let text = report::markdown(&document);
    let (_, rest) = text.split_once("```mermaid\n").unwrap();
    insta::assert_snapshot!("graph as Mermaid", rest.split_once("```").unwrap().0);
}

/// As many services and calls as a picture ever holds.
#[test]
fn sixty_services_have_room() {
    let edges: Vec<(usize, usize)> = (0..200)
        .map(|n: usize| (n * 7 % 60, (n * 13 + n / 3 + 1) % 60))
        .collect();
    let placed = place(60, &edges);
    assert!(placed.layers >= 4, "{} layers", placed.layers);
    for (at, a) in placed.nodes.iter().enumerate() {
        for b in placed.nodes.iter().skip(at + 1) {
            assert!(a.layer != b.layer || (a.across - b.across).abs() >= 50.0);
        }
    }
}

/// A picture for places that show no page: of a readable size, and the same again.
#[test]
fn the_graph_as_png() {
    let png = report::png(&report(), &clock()).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    let (width, height) = (number(16), number(20));
    assert!(
        (1_000..=4_000).contains(&width) && (300..=4_000).contains(&height),
        "{width} x {height}"
    );
    assert!(png.len() < 500_000, "{} bytes", png.len());
    assert_eq!(report::png(&report(), &clock()).unwrap(), png);
}
